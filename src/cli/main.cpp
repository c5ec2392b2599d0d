#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "cli/version_shared.h"

namespace lanthorn {
namespace {

void print_help() {
  std::printf(
      "lanthorn takes a PyTorch model from training checkpoint to production, without Python.\n\n"
      "usage: lanthorn COMMAND [ARGUMENTS]\n\ncommands:\n");
  for (const Command* command : all_commands()) {
    std::printf("  %-10s %s\n", std::string(command->name).c_str(), std::string(command->summary).c_str());
  }
  std::printf(
      "\noptions:\n"
      "  --version  version, instruction sets, formats; with --json the operators too\n"
      "  --help     this text; `lanthorn COMMAND --help` says more, with examples\n\n"
      "exit status: 0 done, 1 the answer is no, 2 wrong command line or input, 3 corrupt or hostile file,\n"
      "             4 not supported, 5 the system failed, 70 a bug of lanthorn\n");
}

int dispatch(int argc, char** argv) {
  if (argc < 2) {
    print_help();
    return 2;
  }
  const std::string_view first = argv[1];
  if (first == "--version" || first == "-V") {
    const bool json = argc > 2 && std::string_view(argv[2]) == "--json";
    json ? print_version_json() : print_version();
    return 0;
  }
  if (first == "--help" || first == "-h" || first == "help") return print_help(), 0;
  for (const Command* command : all_commands()) {
    if (command->name == first) return command->run(argc - 1, argv + 1);
  }
  std::fprintf(stderr, "lanthorn: error: there is no command '%s'\n  See `lanthorn --help`.\n", argv[1]);
  return 2;
}

}  // namespace
}  // namespace lanthorn

int main(int argc, char** argv) {
  try {
    return lanthorn::dispatch(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "lanthorn: error: out of memory\n");
    return 5;
  }
}
