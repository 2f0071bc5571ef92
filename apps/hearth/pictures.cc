#include "apps/hearth/pictures.h"

#include "apps/hearth/output.h"

#include <iostream>
#include <nlohmann/json.hpp>

namespace hearth::cli {

namespace {

// RFC 3629; pictures lie between U+2000 and U+1FFFF.
std::string utf8(uint32_t codePoint) {
  auto tail = [&](int shift) { return static_cast<char>(0x80 | (codePoint >> shift & 0x3f)); };
  if (codePoint < 0x10000) return {static_cast<char>(0xe0 | codePoint >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xf0 | codePoint >> 18), tail(12), tail(6), tail(0)};
}

void ask(const std::vector<ShownPicture>& pictures, const std::string& digits) {
  std::cout << "\n";
  for (auto& picture: pictures) std::cout << "  " << utf8(picture.codePoint) << " " << picture.name;
  std::cout << "\n  or " << digits << "\n\nDoes the other screen show exactly the same? [yes/no] "
            << std::flush;
}

void askInJson(const std::vector<ShownPicture>& pictures, const std::string& digits) {
  auto names = nlohmann::json::array();
  for (auto& picture: pictures) names.push_back(picture.name);
  printJson({{"event", "compare"}, {"pictures", names}, {"digits", digits}});
}

}  // namespace

bool askWhetherSame(
    const std::vector<ShownPicture>& pictures, const std::string& digits, bool asJson) {
  asJson ? askInJson(pictures, digits) : ask(pictures, digits);
  std::string answer;
  return std::getline(std::cin, answer) && (answer == "yes" || answer == "y");
}

}  // namespace hearth::cli
