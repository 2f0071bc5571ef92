#pragma once
// What others say and people are shown, in a terminal among other places.

#include <kj/string.h>

namespace hearth {

// Whether the text is UTF-8 without a character that moves the cursor, rings the bell or turns the direction of
// writing.
bool isPrintable(kj::StringPtr text);

}  // namespace hearth
