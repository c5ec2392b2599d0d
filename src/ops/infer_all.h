#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// What is wrong with one node, or with what the file says of its outputs.
struct InferProblem {
  Error error;        // its place names the node
  std::string value;  // the node's first output; may be empty
};

/// Infers types as infer_graph, but goes on where something is wrong and keeps what the file says
/// of a value where that is more than what can be inferred. Operators that there are not make
/// values of the types that the file tells; what comes after them is not called wrong. An error
/// only where a limit is reached.
Result<std::vector<InferProblem>> infer_all(Graph& graph);

}  // namespace lanthorn
