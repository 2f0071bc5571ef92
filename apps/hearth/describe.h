#pragma once
// What the command line takes, for CLI11. The parts that are many have a file each.

#include "apps/hearth/commands.h"

#include <CLI/CLI.hpp>

namespace hearth::cli {

// A command with the options that every one has.
CLI::App* command(CLI::App& app, Common& common, const char* name, const char* help);

// hearth doc …
void describeDocuments(CLI::App& app, Common& common, DocOptions& options);

// hearth blob …
void describeBlobs(CLI::App& app, Common& common, BlobOptions& options);
void describeFolders(CLI::App& app, Common& common, FolderOptions& options);
void describeLimits(CLI::App& app, Common& common, LimitsOptions& options);
void describeFind(CLI::App& app, Common& common, FindOptions& options);
void describeSettings(CLI::App& app, Common& common, SettingsOptions& options);
void describeClipboard(CLI::App& app, Common& common, ClipOptions& options);

}  // namespace hearth::cli
