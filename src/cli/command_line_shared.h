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

}  // namespace lanthorn
