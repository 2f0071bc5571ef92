#pragma once
// Frames of the link itself beyond those of crypto::Frame.

#include "crypto/handshake/data.h"

namespace hearth::transport {

constexpr uint8_t PING = 12;
constexpr uint8_t PONG = 13;
constexpr uint8_t RESUME = 16;

constexpr uint8_t number(crypto::Frame frame) { return static_cast<uint8_t>(frame); }

}  // namespace hearth::transport
