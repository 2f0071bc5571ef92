#pragma once
// QR codes as people and files see them: drawn in a terminal, written to a PNG, read from one.

#include <string>

namespace hearth::cli {

// Half blocks, dark on light whatever the terminal's colours are; two modules a line.
std::string drawnInTerminal(const std::string& text);

// Throws Failure when the file cannot be written.
void writeQrPng(const std::string& path, const std::string& text);

// The text of the code in a picture. Throws Failure when there is no picture or no code in it.
std::string readQrPng(const std::string& path);

}  // namespace hearth::cli
