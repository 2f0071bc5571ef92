#pragma once
// A text in the person's own editor.

#include <string>

namespace hearth::cli {

// Opens $VISUAL, $EDITOR or vi on the text and gives what it is when the editor ends. The file lies in memory
// where there is /dev/shm, is its owner's alone, and is gone afterwards. Throws Failure when the editor fails.
std::string editedByPerson(const std::string& text, const std::string& suffix);

}  // namespace hearth::cli
