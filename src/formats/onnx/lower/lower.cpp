#include "formats/onnx/lower/lower.h"

#include <algorithm>
#include <memory>
#include <set>

#include "formats/onnx/lower/lowerer.h"
#include "formats/onnx/lower/matrix_softmax.h"
#include "formats/onnx/write/plain_outputs.h"
#include "graph/clone_graph.h"
#include "ops/infer_all.h"

namespace lanthorn::onnx {
namespace {

constexpr size_t kMostListed = 50;
// Constants of an enclosing graph that the rules inside of subgraphs may have to know.
constexpr int64_t kMaxKnown = 64;

class ModelLowerer {
 public:
  explicit ModelLowerer(int opset) : schemas_(opset) {}

  void lower(Graph& graph, const std::map<ValueId, Tensor>& captured, bool main) {
    std::vector<Node> nodes = std::move(graph.nodes);
    graph.nodes.clear();
    LoweredGraph lowered(graph, schemas_, problems, captured);
    for (Node& node : nodes) {
      domains.insert(node.domain);
      for (const auto& inner : subgraphs(node)) {
        std::map<ValueId, Tensor> known;
        for (const Capture& capture : inner->captures) {
          const Tensor* constant = lowered.constant(capture.outer);
          if (constant && constant->count() <= kMaxKnown) known.emplace(capture.inner, *constant);
        }
        lower(*inner, known, false);
      }
      lowered.append(std::move(node), 0);
    }
    for (Node& node : graph.nodes) {
      if (node.domain == kAsInFile) node.domain.clear();
    }
    if (!main) make_outputs_plain(graph);
  }

  std::vector<LoweringProblem> problems;
  std::set<std::string> domains;

 private:
  SchemaTable schemas_;
};

Error cannot_be_said(const std::vector<LoweringProblem>& problems, int opset) {
  std::map<std::string, std::vector<std::string>> nodes_by_reason;
  for (const LoweringProblem& problem : problems) {
    nodes_by_reason[problem.op + ": " + problem.reason].push_back(problem.node);
  }
  std::string list;
  size_t listed = 0;
  for (const auto& [reason, nodes] : nodes_by_reason) {
    if (++listed > kMostListed) {
      list += "; and " + std::to_string(nodes_by_reason.size() - kMostListed) + " more";
      break;
    }
    list += (list.empty() ? "" : "; ") + reason;
    if (!nodes[0].empty()) list += " (node '" + nodes[0] + "'";
    if (!nodes[0].empty() && nodes.size() > 1) {
      list += " and " + std::to_string(nodes.size() - 1) + " more";
    }
    if (!nodes[0].empty()) list += ")";
  }
  return Error{ErrorCode::kUnsupported,
               "opset " + std::to_string(opset) + " cannot express " + list, "",
               "Ask for a newer opset with --opset; the newest is " + std::to_string(kOpset) + "."};
}

}  // namespace

Result<LoweredModel> lower_model(const Graph& graph, const std::map<std::string, int64_t>& known,
                                 int opset) {
  if (opset < kOldestWritten || opset > kOpset) {
    return Error{ErrorCode::kUnsupported,
                 "models are written in opset " + std::to_string(kOldestWritten) + " to " +
                     std::to_string(kOpset) + ", not " + std::to_string(opset),
                 "", ""};
  }
  LoweredModel model{clone_graph(graph), {{"", opset}}, {}};
  // What is wrong in a model is no reason not to write it; rules that need a type say so.
  LAN_TRY(const auto wrong, infer_all(model.graph));
  constexpr int kSoftmaxByAxis = 13;
  if (opset < kSoftmaxByAxis) restore_matrix_softmax(model.graph);
  ModelLowerer lowerer(opset);
  lowerer.lower(model.graph, {}, true);
  if (!lowerer.problems.empty()) return cannot_be_said(lowerer.problems, opset);
  for (const std::string& domain : lowerer.domains) {
    if (domain.empty() || domain == kAsInFile) continue;
    const auto version = known.find(domain);
    model.opsets[domain] = version == known.end() ? 1 : version->second;
  }
  LAN_OK(model.graph.verify());
  return model;
}

}  // namespace lanthorn::onnx
