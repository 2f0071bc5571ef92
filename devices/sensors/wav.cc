#include "devices/sensors/wav.h"

#include <kj/debug.h>
#include <kj/vector.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <samplerate.h>
#include <sndfile.h>

namespace hearth::devices {

namespace {

constexpr size_t BLOCK_FRAMES = 8'192;
constexpr uint32_t SIZE_UNKNOWN = 0xffffffff;  // written by programs that cannot seek

uint32_t u32At(kj::ArrayPtr<const kj::byte> bytes, size_t at) {
  return bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | uint32_t{bytes[at + 3]} << 24;
}

bool isAt(kj::ArrayPtr<const kj::byte> bytes, size_t at, kj::StringPtr tag) {
  return bytes.size() >= at + tag.size() &&
      memcmp(bytes.begin() + at, tag.begin(), tag.size()) == 0;
}

// libsndfile reads a truncated file up to where it breaks off, so the chunks are looked at here.
Result<void> checkChunks(kj::ArrayPtr<const kj::byte> file) {
  if (file.size() == 0) return no(Errc::BAD_LENGTH, "the file is empty: nothing was recorded");
  if (!isAt(file, 0, "RIFF") || !isAt(file, 8, "WAVE")) {
    return no(Errc::BAD_FORMAT, "not a WAV file: convert it, with sox or ffmpeg for example");
  }
  for (size_t at = 12; at + 8 <= file.size();) {
    auto size = u32At(file, at + 4);
    bool audio = isAt(file, at, "data");
    if (audio && size == SIZE_UNKNOWN) return {};
    if (size > file.size() - at - 8) break;
    if (audio && size == 0) return no(Errc::BAD_LENGTH, "the WAV file holds no sound");
    if (audio) return {};
    at += 8 + size_t{size} + (size & 1);
  }
  return no(Errc::BAD_LENGTH, "the WAV file is truncated: copy or record it again");
}

// The bytes as a file, for libsndfile.
struct Reader {
  kj::ArrayPtr<const kj::byte> file;
  sf_count_t at = 0;

  static Reader& of(void* self) { return *static_cast<Reader*>(self); }
  static sf_count_t length(void* self) { return static_cast<sf_count_t>(of(self).file.size()); }
  static sf_count_t tell(void* self) { return of(self).at; }
  static sf_count_t write(const void*, sf_count_t, void*) { return 0; }
  static sf_count_t seek(sf_count_t offset, int whence, void* self) {
    auto& reader = of(self);
    auto from = whence == SEEK_CUR ? reader.at : whence == SEEK_END ? length(self) : 0;
    if (offset < -from || offset > length(self) - from) return -1;
    return reader.at = from + offset;
  }
  static sf_count_t read(void* out, sf_count_t count, void* self) {
    auto& reader = of(self);
    count = std::clamp<sf_count_t>(count, 0, length(self) - reader.at);
    memcpy(out, reader.file.begin() + reader.at, static_cast<size_t>(count));
    reader.at += count;
    return count;
  }
};
SF_VIRTUAL_IO VIRTUAL{Reader::length, Reader::seek, Reader::read, Reader::write, Reader::tell};

using SoundFile = std::unique_ptr<SNDFILE, decltype(&sf_close)>;
using Resampler = std::unique_ptr<SRC_STATE, decltype(&src_delete)>;

int16_t quantised(float sample) {
  if (!(sample == sample)) return 0;  // not a number
  return static_cast<int16_t>(
      std::clamp(std::lrintf(std::clamp(sample, -2.0f, 2.0f) * 32'768.0f), -32'768L, 32'767L));
}

// Averages the channels of `frames` frames in place.
void mixDown(kj::ArrayPtr<float> block, size_t frames, size_t channels) {
  if (channels == 1) return;
  for (size_t i = 0; i < frames; i++) {
    float sum = 0;
    for (size_t channel = 0; channel < channels; channel++) sum += block[i * channels + channel];
    block[i] = sum / static_cast<float>(channels);
  }
}

class Conversion final {
 public:
  Conversion(SNDFILE* file, const SF_INFO& info)
      : file(file),
        channels(static_cast<size_t>(info.channels)),
        ratio(static_cast<double>(Recording::RATE) / info.samplerate),
        block(kj::heapArray<float>(BLOCK_FRAMES * channels)),
        resampled(kj::heapArray<float>(static_cast<size_t>(BLOCK_FRAMES * ratio) + 64)),
        resampler(src_new(SRC_SINC_MEDIUM_QUALITY, 1, nullptr), src_delete) {}

  Result<Recording> run() {
    KJ_REQUIRE(resampler != nullptr, "libsamplerate has no memory");
    for (bool last = false; !last;) {
      auto frames = static_cast<size_t>(
          std::max<sf_count_t>(0, sf_readf_float(file, block.begin(), BLOCK_FRAMES)));
      last = frames < BLOCK_FRAMES;
      mixDown(block, frames, channels);
      if (ratio == 1) {
        take(block.slice(0, frames));
      } else {
        resample(block.slice(0, frames), last);
      }
      if (out.size() > Recording::SAMPLES_MAX) {
        return no(Errc::LIMIT_EXCEEDED, "the recording is longer than 4 h: cut it into parts");
      }
    }
    if (out.size() == 0) return no(Errc::BAD_LENGTH, "the WAV file holds no sound");
    return Recording{out.releaseAsArray()};
  }

 private:
  SNDFILE* file;
  size_t channels;
  double ratio;
  kj::Array<float> block, resampled;
  Resampler resampler;
  kj::Vector<int16_t> out;

  void take(kj::ArrayPtr<const float> samples) {
    for (float sample: samples) out.add(quantised(sample));
  }

  void resample(kj::ArrayPtr<const float> samples, bool last) {
    SRC_DATA data{};
    data.data_in = samples.begin();
    data.input_frames = static_cast<long>(samples.size());
    data.src_ratio = ratio;
    data.end_of_input = last;
    do {
      data.data_out = resampled.begin();
      data.output_frames = static_cast<long>(resampled.size());
      KJ_REQUIRE(src_process(resampler.get(), &data) == 0, "libsamplerate refuses its input");
      take(resampled.slice(0, static_cast<size_t>(data.output_frames_gen)));
      data.data_in += data.input_frames_used;
      data.input_frames -= data.input_frames_used;
    } while (data.input_frames > 0 || data.output_frames_gen == data.output_frames);
  }
};

}  // namespace

Result<Recording> readWav(kj::ArrayPtr<const kj::byte> bytes) {
  if (bytes.size() > Recording::FILE_BYTES_MAX) {
    return no(Errc::LIMIT_EXCEEDED, "the WAV file is larger than 512 MiB: cut it into parts");
  }
  if (auto whole = checkChunks(bytes); !whole) return no(whole.error());
  Reader reader{bytes};
  SF_INFO info{};
  SoundFile file(sf_open_virtual(&VIRTUAL, SFM_READ, &info, &reader), sf_close);
  if (!file) return no(Errc::BAD_FORMAT, "the WAV file is damaged or of an unknown encoding");
  if (info.channels < 1 || info.channels > Recording::CHANNELS_MAX) {
    return no(Errc::LIMIT_EXCEEDED, "the WAV file has more than 16 channels");
  }
  if (info.samplerate < Recording::RATE_MIN || info.samplerate > Recording::RATE_MAX) {
    return no(Errc::LIMIT_EXCEEDED, "the WAV file's sampling rate is not within 4 to 384 kHz");
  }
  return Conversion(file.get(), info).run();
}

Result<Recording> readWav(const kj::ReadableFile& file) {
  if (file.stat().size > Recording::FILE_BYTES_MAX) {
    return no(Errc::LIMIT_EXCEEDED, "the WAV file is larger than 512 MiB: cut it into parts");
  }
  return readWav(file.readAllBytes());
}

}  // namespace hearth::devices
