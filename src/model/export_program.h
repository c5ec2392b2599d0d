#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/export_onnx.h"

namespace lanthorn {

struct ExportedProgram {
  std::shared_ptr<Graph> graph;  // inputs as the program has them, used or not
  std::vector<DynamicAxis> of_outputs;  // what --dynamic says of no input
  std::vector<std::string> notes;
};

/// Evaluates a program for the example of an export.
Result<ExportedProgram> evaluate_for_export(const FileContents& contents,
                                            const OnnxExportOptions& options);

}  // namespace lanthorn
