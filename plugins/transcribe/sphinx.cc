#include "plugins/transcribe/sphinx.h"

#include <pocketsphinx.h>
#include <sphinxbase/err.h>
#include <sstream>
#include <stdexcept>

namespace hearth::transcribe {

namespace {

// Wider than the stock 1e-48: costs a third more time, and the recordings of data/speech come out
// as well as when each file is decoded whole.
constexpr const char* BEAM = "1e-60";

// The words alone: no silences, no noises, no number of a pronunciation, as in "the(2)".
std::string plainWords(const char* hypothesis) {
  std::istringstream in(hypothesis ? hypothesis : "");
  std::string words;
  for (std::string word; in >> word;) {
    if (word.starts_with('<') || word.starts_with('[') || word.starts_with("++")) continue;
    word = word.substr(0, word.find('('));
    if (!words.empty()) words += ' ';
    words += word;
  }
  return words;
}

cmd_ln_t* configuration(const std::string& modelDir) {
  auto acoustic = modelDir + "/en-us", language = modelDir + "/en-us.lm.bin",
       dictionary = modelDir + "/cmudict-en-us.dict";
  return cmd_ln_init(nullptr, ps_args(), TRUE, "-hmm", acoustic.c_str(), "-lm", language.c_str(),
      "-dict", dictionary.c_str(), "-beam", BEAM, nullptr);
}

}  // namespace

struct Sphinx::Decoder {
  cmd_ln_t* config;
  ps_decoder_t* sphinx;

  explicit Decoder(const std::string& modelDir)
      : config(configuration(modelDir)),
        sphinx(config ? ps_init(config) : nullptr) {}
  ~Decoder() {
    ps_free(sphinx);
    cmd_ln_free_r(config);
  }
};

Sphinx::Sphinx(const std::string& modelDir) {
  err_set_logfp(nullptr);
  decoder = std::make_unique<Decoder>(modelDir);
  if (!decoder->sphinx) throw std::runtime_error("the speech model cannot be read");
}

Sphinx::~Sphinx() = default;

// ps_start_stream forgets the noise estimate, ps_start_utt the search; with the whole utterance at
// hand the cepstral mean is its own. Nothing else lives from one utterance to the next.
std::string Sphinx::recognise(std::span<const int16_t> samples) {
  auto* sphinx = decoder->sphinx;
  bool well = ps_start_stream(sphinx) == 0 && ps_start_utt(sphinx) == 0;
  well = well && ps_process_raw(sphinx, samples.data(), samples.size(), FALSE, TRUE) >= 0;
  well = ps_end_utt(sphinx) >= 0 && well;
  if (!well) throw std::runtime_error("the decoder failed");
  int32 score;
  return plainWords(ps_get_hyp(sphinx, &score));
}

}  // namespace hearth::transcribe
