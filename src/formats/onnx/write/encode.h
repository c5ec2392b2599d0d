#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "codec/protobuf.h"
#include "formats/onnx/annotations.h"
#include "graph/graph.h"
#include "lanthorn/result.h"

namespace lanthorn::onnx {

/// Where the bytes of a tensor lie that are not in the model's own file.
struct ExternalData {
  std::string location;          // name of a file in the folder of the model
  uint64_t threshold = UINT64_MAX;  // tensors of so many bytes and more go there
};

/// A ModelProto in pieces.
struct EncodedModel {
  ProtoWriter message;           // its holes are positions in `inside`
  std::vector<Tensor> inside;    // payloads of the model's own file
  struct Outside {
    Tensor tensor;
    uint64_t offset = 0;
  };
  std::vector<Outside> outside;  // payloads of the external file, in the order of their offsets
  uint64_t outside_bytes = 0;
};

/// Encodes a graph whose nodes and values have the names that they shall have (name_all) and are in
/// the terms of the opset `opsets[""]`. kUnsupported for what a ModelProto cannot hold.
Result<EncodedModel> encode_model(const Graph& graph, const std::map<std::string, int64_t>& opsets,
                                  const Annotations& annotations, const ExternalData& external);

/// The IR version with which these opsets came.
int64_t ir_version_of(const std::map<std::string, int64_t>& opsets);

}  // namespace lanthorn::onnx
