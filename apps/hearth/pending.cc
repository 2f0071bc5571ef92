#include "apps/hearth/pending.h"

#include <nlohmann/json.hpp>

namespace hearth::cli {

namespace {

nlohmann::json textsOf(capnp::List<capnp::Text>::Reader texts) {
  auto all = nlohmann::json::array();
  for (auto text: texts) all.push_back(text.cStr());
  return all;
}

}  // namespace

nlohmann::json toJson(local::Pending::Reader pending) {
  return {{"id", pending.getId().cStr()}, {"what", pending.getWhat().cStr()},
      {"target", pending.getTarget().cStr()}, {"from", pending.getFrom().cStr()},
      {"own", pending.getOwn()}, {"agreed", pending.getAgreed()},
      {"waits_for", textsOf(pending.getWaitsFor())}, {"refused", textsOf(pending.getRefused())},
      {"left_s", pending.getLeftS()}};
}

std::string shortId(local::Pending::Reader pending) {
  constexpr size_t DIGITS = 8;
  return std::string(pending.getId().cStr()).substr(0, DIGITS);
}

std::string joined(capnp::List<capnp::Text>::Reader texts) {
  std::string all;
  for (auto text: texts) all += (all.empty() ? "" : ", ") + std::string(text.cStr());
  return all;
}

std::string lineOf(local::Pending::Reader pending) {
  auto what = std::string(pending.getWhat().cStr());
  auto who = joined(pending.getWaitsFor());
  if (pending.getAgreed()) return what + ": agreed, and done as soon as " + who + " is there";
  auto there = pending.getOwn() ? "there: " : "";
  return what + ": waits for " + who + " (" + there + "hearth approve " + shortId(pending) + ")";
}

}  // namespace hearth::cli
