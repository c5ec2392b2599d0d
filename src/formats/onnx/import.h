#pragma once

#include <memory>
#include <string>
#include <vector>

#include "codec/mapped_file.h"
#include "formats/onnx/model.h"
#include "graph/graph.h"
#include "lanthorn/result.h"

namespace lanthorn::onnx {

struct ImportedModel {
  std::shared_ptr<const Graph> graph;
  StateDict weights;  // the initializers of the main graph, by name
  std::vector<std::string> notes;
};

/// Builds the graph of a decoded model: local functions inlined, every node raised to kOpset.
/// `file` is what the model was decoded from; tensors keep it alive. Errors name node and place.
/// Operators that there are not stay in the graph: inferring it lists them all.
Result<ImportedModel> import_model(const ModelProto& model,
                                   const std::shared_ptr<const MappedFile>& file,
                                   const ReadLimits& limits);

}  // namespace lanthorn::onnx
