#pragma once
// What a device's one database is called and holds. The tables have a header each; security-relevant
// ones are hash chains.

#include "storage/sql/database.h"

namespace hearth::storage {

constexpr kj::StringPtr HEARTH_DB = "hearth.db"_kj;  // also the name its key is derived with

extern const Schema HEARTH_SCHEMA;

}  // namespace hearth::storage
