#pragma once
// Settings that Hearth itself goes by. Any other key is its apps' affair.
//
//   clipboard.lifetime   how long what is copied lives if nobody says otherwise: "10m", or "none"

#include "storage/crdt/tree.h"

#include <kj/time.h>

#include <optional>

namespace hearth::devices {

constexpr auto CLIPBOARD_LIFETIME = "clipboard.lifetime";

// Errors: BAD_FORMAT, for a value that Hearth cannot go by.
Result<void> mayBe(const std::string& key, const storage::Tree& value);

// What the value of CLIPBOARD_LIFETIME means; nothing within: no lifetime. Errors: BAD_FORMAT.
Result<std::optional<kj::Duration>> clipboardLifetime(const storage::Tree& value);

}  // namespace hearth::devices
