#pragma once
// The clipboard of the desktop that this process runs in, by the tools that people have: wl-copy and wl-paste on
// Wayland, xclip on X11. Texts alone.

#include <optional>
#include <string>
#include <vector>

namespace hearth::cli {

class DesktopClipboard final {
 public:
  static constexpr size_t BYTES_MAX = 4 << 20;
  static constexpr int PATIENCE_MS =
      2'000;  // with a tool: who owns the selection may not answer it

  // Throws Failure where there is no desktop, or no tool for it.
  static DesktopClipboard find();

  // None: it is empty, holds no text, or too much.
  std::optional<std::string> read() const;
  // Throws Failure when the tool does.
  void write(const std::string& text) const;

 private:
  using Command = std::vector<std::string>;
  Command reading, writing;

  DesktopClipboard(Command reading, Command writing)
      : reading(std::move(reading)),
        writing(std::move(writing)) {}
};

}  // namespace hearth::cli
