#pragma once
// Where a device's Hearth lives on disk, and the socket over which apps reach its daemon.

#include <kj/string.h>

namespace hearth::local {

// $HEARTH_HOME, else $XDG_DATA_HOME/hearth, else $HOME/.local/share/hearth. Throws when none is set.
kj::String defaultHome();

// <home>/run/hearthd.sock. Where that is longer than a Unix address can hold:
// $XDG_RUNTIME_DIR/hearth/<16 hex digits of the home's hash>.sock (SECURITY.md §11).
kj::String socketPath(kj::StringPtr home);

}  // namespace hearth::local
