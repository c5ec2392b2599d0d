#pragma once

#include <span>
#include <string_view>

namespace CLI {
class App;
}

namespace lanthorn {

/// One command of the program. src/cli/<command>.cpp defines command_<command>.
struct Command {
  std::string_view name;
  std::string_view summary;  // one line of `lanthorn --help`
  /// Parses the arguments after the command's name, does the work and returns the exit status.
  int (*run)(int argc, char** argv);
};

/// Written by cmake/tables.cmake from the files in src/cli.
std::span<const Command* const> all_commands();

}  // namespace lanthorn
