#pragma once

#include <string>
#include <vector>

#include "cli/command_line_shared.h"
#include "lanthorn/lanthorn.h"

namespace lanthorn {

/// Where the inputs of a run come from, as `run` and `bench` take it.
struct InputOptions {
  std::string npz;                        // --inputs
  std::vector<std::string> single;        // --input NAME=FILE.npy, --input FILE.png
  std::vector<std::string> shapes;        // --input-shape
  std::string preprocess;                 // --preprocess
  bool random = false;                    // --random
  uint64_t seed = 0;

  bool any() const { return !npz.empty() || !single.empty() || random; }
  Result<LoadOptions> load_options() const;
};

void add_input_options(CLI::App& app, InputOptions& options);
/// Reads or makes the inputs; without any of the options, random ones.
Result<std::vector<NamedValue>> make_inputs(const Model& model, const InputOptions& options);

}  // namespace lanthorn
