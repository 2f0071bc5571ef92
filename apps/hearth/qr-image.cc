#include "apps/hearth/qr-image.h"

#include "apps/hearth/output.h"

#include <cstring>
#include <memory>
#include <png.h>
#include <qrencode.h>
#include <vector>
#include <zbar.h>

namespace hearth::cli {

namespace {

constexpr int QUIET = 4;  // modules of white around a code (ISO/IEC 18004)
constexpr int MODULE_PIXELS = 8;
constexpr uint32_t SIDE_PIXELS_MAX = 8'192;

// A code with its margin.
class Modules {
 public:
  explicit Modules(const std::string& text)
      : code(QRcode_encodeString(text.c_str(), 0, QR_ECLEVEL_M, QR_MODE_8, 1), &QRcode_free) {
    if (code == nullptr) throw Failure{FAILED, "a QR code could not be made"};
  }
  int side() const { return code->width + 2 * QUIET; }
  bool isDark(int x, int y) const {
    x -= QUIET, y -= QUIET;
    bool inside = x >= 0 && y >= 0 && x < code->width && y < code->width;
    return inside && (code->data[y * code->width + x] & 1) != 0;
  }

 private:
  std::unique_ptr<QRcode, decltype(&QRcode_free)> code;
};

// A picture as libpng's png_image has it. Its destructor frees the memory that libpng keeps for it.
struct Png {
  png_image image;

  Png() {
    memset(&image, 0, sizeof(image));
    image.version = PNG_IMAGE_VERSION;
  }
  ~Png() { png_image_free(&image); }
  Png(const Png&) = delete;
  Png& operator=(const Png&) = delete;
};

std::vector<unsigned char> readGrey(const std::string& path, uint32_t& width, uint32_t& height) {
  Png png;
  if (!png_image_begin_read_from_file(&png.image, path.c_str()))
    throw Failure{FAILED, path + " is no PNG that can be read"};
  width = png.image.width, height = png.image.height;
  if (width > SIDE_PIXELS_MAX || height > SIDE_PIXELS_MAX)
    throw Failure{FAILED, path + " is larger than any picture of a code: cut it down"};
  png.image.format = PNG_FORMAT_GRAY;
  std::vector<unsigned char> pixels(PNG_IMAGE_SIZE(png.image));
  png_color white = {255, 255, 255};
  if (!png_image_finish_read(&png.image, &white, pixels.data(), 0, nullptr))
    throw Failure{FAILED, path + " is damaged"};
  return pixels;
}

}  // namespace

std::string drawnInTerminal(const std::string& text) {
  Modules modules(text);
  std::string drawn;
  for (int y = 0; y < modules.side(); y += 2) {
    drawn += "\x1b[30;47m";
    for (int x = 0; x < modules.side(); ++x) {
      bool upper = modules.isDark(x, y), lower = modules.isDark(x, y + 1);
      drawn += upper ? (lower ? "█" : "▀") : (lower ? "▄" : " ");
    }
    drawn += "\x1b[0m\n";
  }
  return drawn;
}

void writeQrPng(const std::string& path, const std::string& text) {
  Modules modules(text);
  auto side = modules.side() * MODULE_PIXELS;
  std::vector<unsigned char> pixels(static_cast<size_t>(side) * static_cast<size_t>(side));
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x)
      pixels[static_cast<size_t>(y * side + x)] =
          modules.isDark(x / MODULE_PIXELS, y / MODULE_PIXELS) ? 0 : 255;
  }
  Png png;
  png.image.width = png.image.height = static_cast<png_uint_32>(side);
  png.image.format = PNG_FORMAT_GRAY;
  if (!png_image_write_to_file(&png.image, path.c_str(), 0, pixels.data(), 0, nullptr))
    throw Failure{FAILED, path + " cannot be written"};
}

std::string readQrPng(const std::string& path) {
  uint32_t width, height;
  auto pixels = readGrey(path, width, height);
  zbar::ImageScanner scanner;
  scanner.set_config(zbar::ZBAR_NONE, zbar::ZBAR_CFG_ENABLE, 0);
  scanner.set_config(zbar::ZBAR_QRCODE, zbar::ZBAR_CFG_ENABLE, 1);
  zbar::Image image(width, height, "Y800", pixels.data(), pixels.size());
  scanner.scan(image);
  for (auto symbol = image.symbol_begin(); symbol != image.symbol_end(); ++symbol)
    return symbol->get_data();
  throw Failure{FAILED, "there is no QR code in " + path + ": take the picture again, closer"};
}

}  // namespace hearth::cli
