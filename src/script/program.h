#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "lanthorn/result.h"
#include "lanthorn/value.h"
#include "script/value.h"

namespace lanthorn::script {

class ClassTable;  // all classes and functions of the archive's code, parsed on demand

/// A loaded program: code, constants and the root object. Immutable; shared by evaluations, each of
/// which works on a copy of what it may change.
struct Program {
  std::shared_ptr<const ClassTable> classes;
  std::shared_ptr<const Object> root;
  std::vector<Value> constants;      // CONSTANTS.c0 ...
  std::vector<Value> traced_inputs;  // example inputs where the archive has them
  std::string method = "forward";    // the entry; "forward__0" for some scripted modules
  std::vector<std::string> methods;  // all that can be called
  int64_t version = 3;               // of the archive: what some operators mean
};

/// One formal parameter of the entry method; the elements of one that is a tuple ("x.0", "x.1").
struct InputSpec {
  std::string name;
  std::string type;  // "Tensor", "int", "List[Tensor]", ...; of an optional what it may hold
  bool has_default = false;  // may be left out: it has a default or is optional
};
/// `count` is how many values there are: a parameter that is a list of tensors takes what the
/// parameters after it leave ("xs.0", "xs.1"). Without it a list is one parameter.
std::vector<InputSpec> program_inputs(const Program& program, std::string_view method,
                                      std::optional<size_t> count = std::nullopt);

/// What a graph is made for: the inputs' dtypes and dims (symbolic or known), and the values of
/// those that are no tensors. `hints` are the sizes of the run at hand.
struct SignatureInput {
  DType dtype = DType::kUndefined;  // a tensor
  std::vector<int64_t> hint;        // its shape at hand
  lanthorn::Value value;            // what is no tensor (or a tree of both: see `tree`)
  bool is_tensor = true;
  /// The tensor's dims as the graph shall have them, known or symbols. Without them they are symbols
  /// that the evaluation makes up.
  std::optional<Dims> dims = std::nullopt;
};

/// How a structured result is rebuilt from the graph's outputs: a Value tree with leaves.
struct OutputTree {
  enum class Kind : uint8_t { kTensor, kNone, kBool, kInt, kFloat, kString, kList, kTuple, kDict };
  Kind kind = Kind::kTensor;
  std::vector<OutputTree> items;
  std::vector<std::string> names;  // dict keys as text; names of a NamedTuple
  lanthorn::Value value;           // of what was known already
};

struct Guard {
  size_t input;  // index of the flattened input
  size_t axis;
  int64_t size;  // the graph holds only where the dimension is this
};

struct Evaluation {
  std::shared_ptr<Graph> graph;  // its inputs are the tensor inputs, in flattened order
  OutputTree outputs;
  std::vector<Guard> guards;  // dimensions that the program branched on
  std::vector<std::string> notes;
};

/// What one evaluation may cost before its program is called endless.
struct EvaluationLimits {
  uint64_t max_steps = 5'000'000;  // statements and calls
  std::chrono::milliseconds max_time = std::chrono::milliseconds(8000);
  uint64_t max_items = 4'000'000;  // of lists and strings that it makes
};

/// Evaluates a method for a signature: the partial evaluator. `inputs` are in the order of
/// program_inputs(program, method, inputs.size()); an absent one is a `value` of none. Dimensions
/// are symbols of the graph (the first of the first input is "batch") unless the program branches
/// on them (`guards` has these too where a caller gave the symbol). Unsupported operators are all
/// listed, with source lines. kInvalidInput where the program itself raises. `needs_data` tells of a
/// failure whether nothing was missing but what only the data tells: interpret() goes on there.
Result<Evaluation> evaluate(const Program& program, std::string_view method,
                            const std::vector<SignatureInput>& inputs,
                            const EvaluationLimits& limits = {}, bool* needs_data = nullptr);

}  // namespace lanthorn::script
