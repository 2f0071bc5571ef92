#include "core/trace/trace.h"

namespace hearth {

namespace {

// Literals and short ids hold nothing that JSON must escape but these.
kj::String escaped(kj::StringPtr text) {
  kj::Vector<char> out;
  for (auto c: text) {
    if (c == '"' || c == '\\') out.add('\\');
    out.add(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
  }
  out.add('\0');
  return kj::String(out.releaseAsArray());
}

}  // namespace

void JsonTrace::event(kj::StringPtr name, std::initializer_list<TraceField> fields) {
  if (stopped) return;
  auto atMs = (clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS;
  kj::Vector<kj::String> parts;
  parts.add(kj::str("{\"at_ms\":", atMs, ",\"event\":\"", escaped(name), '"'));
  for (auto& field: fields) {
    auto quote = field.quoted ? "\"" : "";
    parts.add(kj::str(",\"", escaped(field.name), "\":", quote, escaped(field.text), quote));
  }
  auto line = kj::str(kj::strArray(parts, ""), "}\n");
  stopped = line.size() > bytesLeft;
  if (stopped)
    line = kj::str("{\"at_ms\":", atMs, ",\"event\":\"trace.full\"}\n");
  else
    bytesLeft -= line.size();
  out.write(line.begin(), line.size());
}

}  // namespace hearth
