#pragma once
// A text in the person's own editor.

#include <kj/common.h>

#include <string>

namespace hearth::cli {

// Opens $VISUAL, $EDITOR or vi on a text. The file lies in memory where there is /dev/shm, is its owner's alone,
// and is gone with this object, unless it is to be kept.
class EditedByPerson final {
 public:
  // Resolves when the editor ends. Throws Failure when the file cannot be written, the editor fails, or what it
  // has left cannot be read.
  EditedByPerson(const std::string& text, const std::string& suffix);
  ~EditedByPerson();
  KJ_DISALLOW_COPY_AND_MOVE(EditedByPerson);

  const std::string& text() const { return edited; }
  // What somebody has written is not lost because it cannot be used. Gives where it is.
  const std::string& keep();

 private:
  std::string path, edited;
  bool isKept = false;

  void write(const std::string& text);
  void open();
  void read();
};

}  // namespace hearth::cli
