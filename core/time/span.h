#pragma once
// How long something lasts, as people type it: "90s", "10m", "1h30m", "2d".

#include <kj/common.h>
#include <kj/time.h>

#include <string_view>

namespace hearth {

// More than nothing, in whole days, hours, minutes and seconds. None for anything else.
kj::Maybe<kj::Duration> parseSpan(std::string_view typed);

}  // namespace hearth
