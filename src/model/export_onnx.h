#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats/format.h"
#include "formats/onnx/annotations.h"
#include "lanthorn/model.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// A dimension that shall be free in the exported model.
struct DynamicAxis {
  std::string port;  // an input or output, by its name in the exported model or in the source
  int64_t axis = 0;  // from the end if negative
  std::string symbol;
};

struct OnnxExportOptions {
  std::vector<std::string> input_names, output_names;  // of the first ports; the others keep theirs
  std::vector<DynamicAxis> dynamic;
  std::vector<NamedValue> example;  // of a program: what it is evaluated for
  std::vector<std::pair<std::string, Shape>> input_shapes;  // in place of an example
  bool fold_batch_norm = false;
  int opset = kOpset;  // that the graph will be written in: products are not left to an Einsum before 12
};

/// A model ready to be written.
struct OnnxExport {
  std::shared_ptr<Graph> graph;
  onnx::Annotations annotations;
  std::vector<std::string> notes;
};

/// The inputs that an example may name: of an ONNX model its own, of a program its parameters.
std::vector<Port> export_ports(const FileContents& contents);

/// Makes the graph that is written. An ONNX model stays as it is, but for names and dimensions. A
/// program is evaluated for an example whose sizes the graph keeps, but for `dynamic` ones; constants
/// are folded and what does nothing goes. kUsage for names and axes that do not fit; kUnsupported for
/// a program that is no single graph, or that branches on a size that shall be free.
Result<OnnxExport> export_onnx(const FileContents& contents, const OnnxExportOptions& options);

}  // namespace lanthorn
