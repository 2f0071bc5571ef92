#include "devices/node/anchor-sources.h"

namespace hearth::devices {

std::string AnchorSources::words() const {
  std::string line;
  auto add = [&](const std::string& part) { line += (line.empty() ? "" : ", ") + part; };
  if (!counter.empty()) add(counter);
  if (witnesses > 0)
    add(std::to_string(witnesses) + (witnesses == 1 ? " other device" : " other devices") +
        " at the next contact");
  bool knowsWhole = !line.empty();
  if (file) add("a file beside the database");
  if (line.empty()) line = "none: nothing shows that this disk was put back to an older copy";
  if (!knowsWhole && file)
    line += "; nothing shows that the whole disk was put back to an older copy";
  if (!counterFails.empty()) line += "; no counter: " + counterFails;
  return line;
}

}  // namespace hearth::devices
