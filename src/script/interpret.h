#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "script/program.h"

namespace lanthorn::script {

/// A part of a program's graph that can run now: all that it reads is there already.
struct Piece {
  std::shared_ptr<const Graph> graph;
  std::vector<lanthorn::Value> inputs;
  /// Of one program, method and signature, pieces of equal keys are the same graph.
  std::string key;
};
using RunPiece = std::function<Result<std::vector<lanthorn::Value>>(const Piece&)>;

struct Interpretation {
  OutputTree outputs;
  std::vector<lanthorn::Value> tensors;  // the leaves of `outputs` that are tensors
  std::vector<std::string> notes;
  /// What the run left in attributes other than the file has it, by path ("rnn.hidden"); only with a state.
  std::vector<NamedValue> attributes;
};

/// Runs a method on the inputs at hand. What depends on the data of tensors is worked out where the
/// program asks for it, by running the part of the graph that tells it; so a program that cannot
/// become one graph runs too. `tensors` are those of the inputs that are tensors, in their order.
/// With a `state` the run starts from these attributes, and tells what it left in them.
Result<Interpretation> interpret(const Program& program, std::string_view method,
                                 const std::vector<SignatureInput>& inputs,
                                 std::span<const lanthorn::Value> tensors, const RunPiece& run,
                                 const EvaluationLimits& limits = {},
                                 const std::vector<NamedValue>* state = nullptr);

}  // namespace lanthorn::script
