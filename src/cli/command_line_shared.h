#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "lanthorn/lanthorn.h"

namespace lanthorn {

/// Prints "lanthorn: error: SENTENCE", the place and the advice to stderr; returns the exit status.
int report(const Error& error);
/// Parses the arguments of a command. Returns true to go on, else `status` is what to exit with.
bool parse_arguments(CLI::App& app, int argc, char** argv, int& status);
/// "NAME=1,3,224,224" or "NAME:batch,3,224,224" (a word is a free dimension) for --input-shape.
Result<std::vector<std::pair<std::string, Shape>>> parse_input_shapes(std::span<const std::string> texts);
/// "float32[batch, 3, 224, 224]" of a port.
std::string port_text(const Port& port);
/// "1.4 MB"
std::string bytes_text(uint64_t bytes);
/// A number of bytes: "1000000", "5GB" (thousands), "2GiB" and "512M" (of 1024), in any case. kUsage, with `option` as the place.
Result<uint64_t> parse_bytes(std::string_view text, std::string_view option);
/// Text out of a file for a terminal: without control characters, which may steer it, and cut with "..." where it is endless.
std::string printable(std::string_view text);

}  // namespace lanthorn
