#pragma once
// What two have made of one text, each without knowing of the other, as one text: three ways and by lines (Khanna, Kunal
// and Pierce, A Formal Investigation of Diff3, 2007). What both have added at one place stands there twice over, neither
// within the other, as it would in a document.

#include <kj/common.h>

#include <string>
#include <string_view>

namespace hearth::storage {

// Of texts that are merged.
constexpr size_t MERGED_BYTES_MAX = 256 << 10;

// Whether it may be merged by lines: UTF-8 without zeros, and not too long.
bool isText(std::string_view bytes);

// `first` stands before `second` where both have added something: to be told by something that is the same on every
// device. None where they have changed the same lines, or lines next to each other: what would come out is nothing that
// either has written.
kj::Maybe<std::string> mergedText(
    std::string_view base, std::string_view first, std::string_view second);

}  // namespace hearth::storage
