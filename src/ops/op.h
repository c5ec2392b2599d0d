#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/cpu.h"
#include "base/fixed_list.h"
#include "graph/graph.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"
#include "lanthorn/value.h"

namespace lanthorn {

class ThreadPool;

/// How far two correct implementations of an operator may differ. Tests take it from here, so no
/// test picks its own tolerance.
enum class Accuracy : uint8_t {
  kExact,     // moves, compares or counts elements: bit for bit
  kRounding,  // a few units in the last place
  kSummed,    // adds up many products; the bound grows with the length of the sum
};

/// A set of dtypes as bits: type_bit(DType::kF32) | ...
constexpr uint64_t type_bit(DType dtype) { return uint64_t{1} << static_cast<unsigned>(dtype); }
constexpr uint64_t kFloats = type_bit(DType::kF32) | type_bit(DType::kF64) | type_bit(DType::kF16) | type_bit(DType::kBF16);
constexpr uint64_t kSignedInts = type_bit(DType::kI8) | type_bit(DType::kI16) | type_bit(DType::kI32) | type_bit(DType::kI64);
constexpr uint64_t kUnsignedInts = type_bit(DType::kU8) | type_bit(DType::kU16) | type_bit(DType::kU32) | type_bit(DType::kU64);
constexpr uint64_t kNumbers = kFloats | kSignedInts | kUnsignedInts;
constexpr uint64_t kBoolType = type_bit(DType::kBool);
constexpr uint64_t kI64Type = type_bit(DType::kI64);
constexpr uint64_t kStringType = type_bit(DType::kString);
constexpr uint64_t kAnyType = ~uint64_t{0};

/// One formal input or output. `types` is what its tensors may hold (0: not checked).
struct OpPort {
  std::string_view name;
  uint64_t types = kAnyType;
  bool optional = false;
  bool variadic = false;  // the last one may repeat
};

/// Infers the subgraph in an attribute of the node at hand; given by infer_graph.
class SubgraphInferrer {
 public:
  virtual ~SubgraphInferrer() = default;
  virtual Result<std::vector<ValueType>> infer(std::string_view attribute, std::vector<ValueType> inputs) = 0;
};

/// What an operator's shape rule sees. Input types are tensors with known rank, unless the operator
/// works on values (OpDef::values). The rule describes the outputs and refuses what the operator's
/// text refuses.
class InferContext {
 public:
  /// The most elements of one value that are followed through a graph.
  static constexpr size_t kMaxElements = 256;

  InferContext(const Node& node, std::span<const ValueType> inputs, std::span<const Tensor* const> constants,
               std::span<const std::optional<Dims>> elements);
  const Node& node() const { return node_; }
  const Attributes& attributes() const { return node_.attributes; }
  size_t input_count() const { return inputs_.size(); }
  size_t output_count() const { return node_.outputs.size(); }
  bool has_input(size_t i) const { return i < node_.inputs.size() && node_.inputs[i] != kNoValue; }
  const ValueType& input(size_t i) const { return inputs_[i]; }
  DType dtype(size_t i) const { return inputs_[i].dtype; }
  const Dims& dims(size_t i) const { return inputs_[i].dims; }
  int64_t rank(size_t i) const { return static_cast<int64_t>(inputs_[i].dims.size()); }
  /// The input's value where it is a constant, else null.
  const Tensor* constant(size_t i) const;
  /// The elements of a small input of whole numbers (or bools) where they are known, perhaps as
  /// expressions over symbols: of constants, and of what was computed from shapes. Floats count
  /// while they are whole, as sizes are sometimes computed with them.
  std::optional<Dims> elements(size_t i) const;

  void set_output(size_t i, ValueType type);
  void set_output(size_t i, DType dtype, Dims dims) { set_output(i, ValueType::tensor(dtype, std::move(dims))); }
  /// Tells the elements of a small output of whole numbers; more than kMaxElements, and what
  /// the output's type does not hold exactly, is forgotten. Call it after set_output, which the
  /// number of elements must agree with.
  void set_elements(size_t i, Dims elements);

  /// The types of a subgraph's outputs for these types of its inputs (fewer: the rest is unknown).
  /// The node's subgraph keeps the types of the last call. kUnsupported outside of infer_graph.
  Result<std::vector<ValueType>> infer_subgraph(std::string_view attribute, std::vector<ValueType> inputs);
  void set_subgraph_inferrer(SubgraphInferrer* inferrer) { subgraphs_ = inferrer; }

  std::vector<ValueType> outputs;
  std::vector<std::optional<Dims>> output_elements;

 private:
  const Node& node_;
  std::span<const ValueType> inputs_;
  std::span<const Tensor* const> constants_;
  std::span<const std::optional<Dims>> elements_;
  SubgraphInferrer* subgraphs_ = nullptr;
};

/// A contiguous array as kernels see it. `shape` and `data` belong to the caller.
struct TensorView {
  DType dtype = DType::kUndefined;
  std::span<const int64_t> shape;
  const void* data = nullptr;

  bool present() const { return dtype != DType::kUndefined; }
  size_t rank() const { return shape.size(); }
  int64_t count() const {
    int64_t n = 1;
    for (const int64_t d : shape) n *= d;
    return n;
  }
  template <class T>
  std::span<const T> as() const { return {static_cast<const T*>(data), static_cast<size_t>(count())}; }
};

struct MutableTensorView {
  DType dtype = DType::kUndefined;
  std::span<const int64_t> shape;
  void* data = nullptr;

  bool present() const { return dtype != DType::kUndefined; }
  size_t rank() const { return shape.size(); }
  int64_t count() const {
    int64_t n = 1;
    for (const int64_t d : shape) n *= d;
    return n;
  }
  template <class T>
  std::span<T> as() const { return {static_cast<T*>(data), static_cast<size_t>(count())}; }
};

/// Runs the subgraphs of If, Loop and Scan; implemented by the runtime.
class SubgraphRunner {
 public:
  virtual ~SubgraphRunner() = default;
  /// Runs attribute `attribute` of the node at hand with `inputs` for the subgraph's own inputs.
  virtual Result<std::vector<Value>> run(std::string_view attribute, std::vector<Value> inputs) = 0;
};

/// What a kernel sees: inputs to read, outputs already allocated with the inferred shape.
class RunContext {
 public:
  const Node& node() const { return *node_; }
  const Attributes& attributes() const { return node_->attributes; }
  size_t input_count() const { return inputs_.size(); }
  size_t output_count() const { return outputs_.size(); }
  bool has_input(size_t i) const { return i < inputs_.size() && inputs_[i].present(); }
  /// Inputs that the node leaves out are not present().
  const TensorView& input(size_t i) const {
    static constexpr TensorView kAbsent;
    return i < inputs_.size() ? inputs_[i] : kAbsent;
  }
  /// Outputs that the node leaves out (kNoValue, or none at that place) are not present().
  const MutableTensorView& output(size_t i) const {
    static constexpr MutableTensorView kAbsent;
    return i < outputs_.size() ? outputs_[i] : kAbsent;
  }

  /// Inputs and outputs that are no tensors (sequences, optionals), and outputs whose shape only
  /// the data tells (OpDef::data_dependent): the kernel makes them.
  const Value& input_value(size_t i) const { return (*input_values_)[i]; }
  void set_output_value(size_t i, Value value) const { (*output_values_)[i] = std::move(value); }
  SubgraphRunner* subgraphs() const { return subgraphs_; }

  /// What FastKernel::prepare returned for this node; null for references.
  const void* prepared() const { return prepared_; }
  /// FastKernel::scratch_bytes bytes, aligned to 64.
  std::span<std::byte> scratch() const { return scratch_; }
  ThreadPool* pool() const { return pool_; }
  /// The most threads that this run may use, the caller included.
  int threads() const { return threads_; }
  /// What outputs that the kernel allocates itself may take; more is kLimit.
  uint64_t memory_left() const { return memory_left_; }

  const Node* node_ = nullptr;
  std::span<const TensorView> inputs_;
  std::span<const MutableTensorView> outputs_;
  const std::vector<Value>* input_values_ = nullptr;
  std::vector<Value>* output_values_ = nullptr;
  SubgraphRunner* subgraphs_ = nullptr;
  const void* prepared_ = nullptr;
  std::span<std::byte> scratch_;
  ThreadPool* pool_ = nullptr;
  int threads_ = 1;
  uint64_t memory_left_ = UINT64_MAX;
};

/// Everything lanthorn knows about one operator, at opset kOpset.
struct OpDef {
  std::string_view name;         // as ONNX spells it: "Gelu"
  std::string_view domain = "";  // "" is ai.onnx, "lanthorn" the optimizer's own
  int since = 1;                 // the opset whose text this definition follows
  FixedList<OpPort, 12> inputs = {};
  FixedList<OpPort, 6> outputs = {};
  Accuracy accuracy = Accuracy::kExact;
  /// Types of the outputs from those of the inputs. Attributes that a file left out have the
  /// defaults of the operator's text, asked for as `attributes().integer("axis", -1)`.
  Status (*infer)(InferContext&) = nullptr;
  /// Plain loops: the meaning of the operator. What depends on data (an index out of range) is an
  /// error here; all else was refused by `infer`.
  Status (*reference)(const RunContext&) = nullptr;
  bool data_dependent = false;   // output shapes need the data: the kernel calls set_output_value
  bool values = false;           // works on Values (sequences, optionals, subgraphs)
  bool random = false;           // not folded
};

/// What decides whether a fast kernel serves a node: concrete shapes and constants.
struct KernelQuery {
  const Node& node;
  std::span<const ValueType> inputs;            // all dims known; kUndefined where absent
  std::span<const ValueType> outputs;
  std::span<const Tensor* const> constants;     // per input, null where computed
  IsaLevel isa;
  int threads;                                  // the cap of the session
  bool bf16 = false;                            // products may take their weights as bfloat16

  bool has_input(size_t i) const { return i < inputs.size() && inputs[i].dtype != DType::kUndefined; }
  int64_t dim(size_t input, size_t axis) const { return inputs[input].dims[axis].value(); }
};

/// A faster implementation of an operator, for the cases that `applies` accepts.
struct FastKernel {
  std::string_view name;  // shown by `inspect --plan` and `bench --profile`: "fused_conv/winograd4"
  bool (*applies)(const KernelQuery&) = nullptr;
  /// Packs constants. The result is shared by all plans whose `pack_key` agrees; null: nothing.
  Result<std::shared_ptr<const void>> (*prepare)(const KernelQuery&) = nullptr;
  /// What of the query the packed form depends on beside the node (a tile width, say); null: nothing.
  uint64_t (*pack_key)(const KernelQuery&) = nullptr;
  /// Bytes of scratch memory for one run; null: none.
  size_t (*scratch_bytes)(const KernelQuery&) = nullptr;
  Status (*run)(const RunContext&) = nullptr;
  bool in_place = false;        // output 0 may be the memory of input 0 (same bytes)
  uint32_t packed_inputs = 0;   // bit i: a constant input i is read by prepare, and not by run
};

struct OpEntry {
  const OpDef* def;
  const std::span<const FastKernel>* fast_;
  /// Best first; `def->reference` is tried last.
  std::span<const FastKernel> fast() const { return fast_ ? *fast_ : std::span<const FastKernel>{}; }
};

/// All operators, sorted by file name. Written by cmake/tables.cmake from the files in src/ops.
std::span<const OpEntry> all_ops();
/// Null if there is none.
const OpEntry* find_op(std::string_view name, std::string_view domain = "");

/// Checks a node's inputs against the ports of its operator, then runs its shape rule. Where the rank
/// of an input is not known the outputs are not known either. Errors name no place.
Status infer_node(const OpEntry& op, InferContext& context);

/// Infers types of all values of a graph (and subgraphs) from those of its inputs, in place.
/// kUnsupported with the complete list of operators that there are not.
Status infer_graph(Graph& graph);

/// The type of a value at hand: all dimensions known.
ValueType type_of(const Value& value);

/// Runs the reference of one node, allocating its outputs; for folding and tests. Inputs may have any
/// strides; an absent one is None. Operators with subgraphs are kUnsupported here.
/// kLimit where an output would take more than `max_output_bytes`.
Result<std::vector<Value>> run_reference(const Node& node, std::span<const Value> inputs,
                                         uint64_t max_output_bytes = uint64_t{4} << 30);

}  // namespace lanthorn
