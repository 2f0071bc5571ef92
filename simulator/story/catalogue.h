#pragma once
// The kinds of devices and networks that scenarios name: simulator/data/profiles.toml and
// networks.toml, where the sources of the numbers stand.

#include "simulator/fleet/profile.h"
#include "simulator/wire/terrain.h"

#include <expected>
#include <map>
#include <string>

namespace hearth::sim {

struct Catalogue {
  std::map<std::string, Profile> profiles;
  std::map<std::string, NetworkKind> networks;

  // Reads both texts. An error is one line that names the entry.
  static std::expected<Catalogue, std::string> parse(
      const std::string& profilesToml, const std::string& networksToml);
};

}  // namespace hearth::sim
