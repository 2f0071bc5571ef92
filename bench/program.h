#pragma once
// Another program of this build, as a process: it dies with whoever began it.

#include <kj/io.h>

#include <string>
#include <sys/types.h>
#include <vector>

namespace hearth::bench {

class Program final {
 public:
  // `name`: hearth or hearthd, out of $HEARTH_BIN, or else from beside this program. What it prints goes to this
  // object; what it complains of is added to `log`; `input`, a file, is what it reads.
  struct Begin {
    std::string name;
    std::vector<std::string> arguments;
    std::string log, input = "/dev/null";
  };
  explicit Program(const Begin& begin);
  ~Program();  // kills it
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t process() const { return child; }
  std::string line();  // the next that it prints, without its end
  std::string rest();  // everything that it still prints; waits until it has ended
  int wait();          // its status

  void signal(int number);

 private:
  pid_t child = -1;
  kj::AutoCloseFd printed;
};

}  // namespace hearth::bench
