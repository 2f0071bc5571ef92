#pragma once
// Structured events for `hearthd --trace` and for tests: what happened to which link, job or plugin.
// Fields are numbers, literals and short ids; never a payload, a secret or a full id.

#include "core/base/ids.h"

#include <kj/io.h>
#include <kj/string.h>
#include <kj/time.h>
#include <kj/vector.h>

#include <initializer_list>

namespace hearth {

struct TraceField {
  kj::StringPtr name;  // a literal
  kj::String text;     // what to print
  bool quoted;         // text, not a number

  TraceField(kj::StringPtr name, int64_t value): name(name), text(kj::str(value)), quoted(false) {}
  TraceField(kj::StringPtr name, kj::StringPtr literal)
      : name(name),
        text(kj::str(literal)),
        quoted(true) {}
  template <typename Tag, size_t N>
  TraceField(kj::StringPtr name, const Id<Tag, N>& id)
      : name(name),
        text(kj::str(id)),
        quoted(true) {}  // its short form
};

class Trace {
 public:
  // `name`: a literal like "link.up".
  virtual void event(kj::StringPtr name, std::initializer_list<TraceField> fields) = 0;
};

class NoTrace final: public Trace {
 public:
  void event(kj::StringPtr, std::initializer_list<TraceField>) override {}
};

// One JSON object a line: {"at_ms":…,"event":"link.up","peer":"1a2b3c4d"}. Stops for good, with one
// last line that says so, when it has written `bytesMax`.
class JsonTrace final: public Trace {
 public:
  static constexpr uint64_t BYTES_MAX = 64 << 20;

  // Both outlive the trace.
  JsonTrace(kj::OutputStream& out, const kj::Clock& clock, uint64_t bytesMax = BYTES_MAX)
      : out(out),
        clock(clock),
        bytesLeft(bytesMax) {}

  void event(kj::StringPtr name, std::initializer_list<TraceField> fields) override;

 private:
  kj::OutputStream& out;
  const kj::Clock& clock;
  uint64_t bytesLeft;
  bool stopped = false;
};

}  // namespace hearth
