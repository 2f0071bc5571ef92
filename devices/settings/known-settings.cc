#include "devices/settings/known-settings.h"

#include "core/time/span.h"
#include "devices/clipboard/clip.h"

namespace hearth::devices {

Result<std::optional<kj::Duration>> clipboardLifetime(const storage::Tree& value) {
  constexpr Error NONE{Errc::BAD_FORMAT,
      "clipboard.lifetime is \"none\", or a time as \"90s\", \"10m\" or \"1h30m\", 30d at most"_kj};
  auto text = std::get_if<std::string>(&value.value);
  if (text == nullptr) return no(NONE);
  if (*text == "none") return std::optional<kj::Duration>();
  KJ_IF_MAYBE(span, parseSpan(*text)) {
    if (*span <= Clip::LIFETIME_MAX) return std::optional<kj::Duration>(*span);
  }
  return no(NONE);
}

Result<void> mayBe(const std::string& key, const storage::Tree& value) {
  if (key != CLIPBOARD_LIFETIME) return {};
  auto lifetime = clipboardLifetime(value);
  if (!lifetime) return no(lifetime.error());
  return {};
}

}  // namespace hearth::devices
