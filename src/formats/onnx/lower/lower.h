#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "lanthorn/result.h"

namespace lanthorn::onnx {

/// The oldest opset of ai.onnx that models are written in: the first with today's broadcasting.
constexpr int kOldestWritten = 7;

struct LoweredModel {
  Graph graph;  // shares no subgraph with another
  std::map<std::string, int64_t> opsets;  // that it needs, by domain
  std::vector<std::string> notes;
};

/// A graph of kOpset in the terms of an older opset. Every node is then one of the standard at that
/// opset: its attributes, its number of inputs and their types fit. `known` are the versions that
/// other domains have in the file the graph is from. kUnsupported with the list of all that cannot
/// be said at `opset`.
Result<LoweredModel> lower_model(const Graph& graph, const std::map<std::string, int64_t>& known,
                                 int opset);

}  // namespace lanthorn::onnx
