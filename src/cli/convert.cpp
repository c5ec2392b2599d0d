#include <cstdio>

#include "cli/command.h"
#include "cli/command_line_shared.h"

namespace lanthorn {
namespace {

int run_command(int argc, char** argv) {
  std::string in, out;
  SaveOptions options;
  CLI::App app{"Writes a file in another format.", "lanthorn convert"};
  app.add_option("IN", in)->required();
  app.add_option("OUT", out)->required();
  app.add_option("--to", options.format);
  int status = 0;
  if (!parse_arguments(app, argc, argv, status)) return status;
  const auto model = load(in);
  if (!model) return report(model.error());
  const auto saved = model->objects() != nullptr ? save(*model->objects(), out, options)
                                                 : save(model->tensors(), out, options);
  if (!saved) return report(saved.error());
  for (const std::string& note : saved->notes) std::fprintf(stderr, "lanthorn: note: %s\n", note.c_str());
  return 0;
}

}  // namespace

extern constinit const Command command_convert{"convert", "writes a file in another format", run_command};

}  // namespace lanthorn
