#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "formats/write.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// What `convert` to ONNX takes beside what every conversion takes.
struct OnnxFlags {
  std::optional<int> opset;  // without it the newest
  std::string input_names, output_names;  // separated by commas
  std::vector<std::string> dynamic;       // NAME:AXIS=SYMBOL
  std::string example;                    // IN.npz
  std::vector<std::string> input_shapes;  // NAME:1,3,224,224
  std::string external_data;              // a number of bytes
  bool fold_batch_norm = false;

  bool any() const;
};

void add_onnx_options(CLI::App& app, OnnxFlags& flags);

/// Reads a model, and writes it as ONNX unless `dry_run`.
struct OnnxConversion {
  std::filesystem::path input, output;
  uint64_t max_memory_bytes = 0;
  bool dry_run = false, json = false;
};
Status convert_to_onnx(const OnnxConversion& conversion, const OnnxFlags& flags);

}  // namespace lanthorn
