#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "formats/flat_tensors.h"
#include "formats/format.h"
#include "formats/write.h"
#include "lanthorn/result.h"
#include "model/name_rules.h"

namespace lanthorn {

/// What `lanthorn convert` is asked for.
struct ConversionOptions {
  std::string format;  // of the output; empty: by its name
  NameChanges names;
  std::vector<std::string> select, exclude;  // globs over the names in the files
  bool flat = false;                         // a state_dict of all tensors, even where a tree could stay
  bool last_wins = false;                    // of inputs with the same name, in place of an error
  WriteOptions write;
  ReadLimits limits;
};

/// A tensor of an input and what becomes of it.
struct ConversionStep {
  std::string source;  // its name in the file
  FlatTensor tensor;   // under its new name
};

/// What a conversion will do: everything is read, and nothing is written yet.
struct Conversion {
  std::string format;                          // to be written
  std::vector<std::string> source_formats;     // of each input
  std::shared_ptr<const ObjectTree> tree;      // what is written, where a tree stays
  std::vector<ConversionStep> steps;           // else these
  uint64_t bytes = 0;                          // of the tensors
  uint64_t left_out = 0;                       // tensors that no rule selects
  uint64_t unscaled = 0;                       // quantized tensors whose scales are not known
  std::vector<std::string> notes;
  WriteOptions write;
};

/// Reads the inputs, with their CRCs checked, and applies the rules. kUsage for formats that are none,
/// names that come twice (all are listed), and rules that select nothing; kUnsupported for formats that
/// need a program.
Result<Conversion> plan_conversion(const std::vector<std::filesystem::path>& inputs,
                                   const std::filesystem::path& output,
                                   const ConversionOptions& options);
/// Writes it.
Result<WriteReport> run_conversion(const Conversion& conversion,
                                   const std::filesystem::path& output);

/// The format that a file's name stands for: "torch", "safetensors", "npz", "npy", "onnx", ...; empty
/// where it says nothing.
std::string format_of_name(const std::filesystem::path& path);
/// Writes tensors in a format. kUsage where there is no such one to be written.
Result<WriteReport> write_tensors(const std::string& format, const std::filesystem::path& path,
                                  const std::vector<FlatTensor>& tensors,
                                  const WriteOptions& options);

}  // namespace lanthorn
