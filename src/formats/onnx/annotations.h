#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lanthorn/result.h"

namespace lanthorn::onnx {

using TextPairs = std::vector<std::pair<std::string, std::string>>;

/// What a model says beside its graph: nothing that changes what it computes.
struct Annotations {
  /// Of a node, a value or the graph.
  struct Note {
    std::string doc;
    TextPairs metadata;
    bool empty() const { return doc.empty() && metadata.empty(); }
  };
  std::string producer_name, producer_version, domain, doc;
  int64_t model_version = 0;
  TextPairs metadata;
  Note graph;
  std::unordered_map<std::string, Note> nodes;   // by the name of the first output
  std::unordered_map<std::string, Note> values;  // of the main graph's inputs, outputs, constants
  std::map<std::string, int64_t> opsets;         // that the file imports, by domain
};

struct ModelProto;
/// kLimit where they would take more than `max_bytes`.
Result<Annotations> annotations_of(const ModelProto& model, uint64_t max_bytes);

}  // namespace lanthorn::onnx
