#include <algorithm>
#include <new>

#include "base/thread_pool.h"
#include "model/inputs.h"
#include "model/interpreted_run.h"
#include "model/model_impl.h"
#include "model/no_program.h"
#include "model/program_call.h"

namespace lanthorn {

struct State::Impl {
  std::vector<NamedValue> attributes;  // what the program wrote to its own attributes, by path
};

State::State() : impl_(std::make_unique<Impl>()) {}
State::~State() = default;
State::State(State&&) noexcept = default;
State& State::operator=(State&&) noexcept = default;
State State::clone() const {
  State copy;
  *copy.impl_ = *impl_;
  return copy;
}
void State::reset() { impl_->attributes.clear(); }

struct Session::Impl {
  std::shared_ptr<const Model::Impl> model;
  ExecutableOptions options;
  RunOptions run;
  std::vector<Port> inputs;  // names and kinds; shapes are checked by the graph at hand
  std::vector<Port> outputs;
  std::shared_ptr<const CompiledGraph> graph;  // ONNX

  struct Call {
    std::shared_ptr<const CompiledGraph> compiled;
    std::vector<Value> tensors;  // of the graph's inputs
    std::vector<script::SignatureInput> signature;  // of a program
  };
  /// With a state the run starts from its attributes and leaves what it wrote there.
  Result<std::vector<NamedValue>> interpret(const Call& call, State::Impl* state = nullptr) const;
  Result<Call> prepare(std::span<const NamedValue> inputs) const;
};

namespace {

/// Rebuilds the flattened outputs of a program under out0, out1, ...
void flatten_outputs(const script::OutputTree& tree, std::span<Value> tensors, size_t& next,
                     std::vector<NamedValue>& flat) {
  using Kind = script::OutputTree::Kind;
  switch (tree.kind) {
    case Kind::kTensor:
      if (next < tensors.size()) {
        flat.push_back({"out" + std::to_string(flat.size()), std::move(tensors[next++])});
      }
      return;
    case Kind::kNone: return;
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
      for (const script::OutputTree& item : tree.items) flatten_outputs(item, tensors, next, flat);
      return;
    default: break;
  }
  Value value = tree.value;
  if (value.integer()) value = Tensor::scalar_i64(*value.integer());
  if (value.flag()) value = Tensor::scalar_bool(*value.flag());
  if (value.real()) {
    const double real = *value.real();
    value = Tensor::of<double>(DType::kF64, {}, std::span(&real, 1));
  }
  flat.push_back({"out" + std::to_string(flat.size()), std::move(value)});
}

}  // namespace

Session::Session(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
const std::vector<Port>& Session::inputs() const { return impl_->model->signature().inputs; }
const std::vector<Port>& Session::outputs() const { return impl_->model->signature().outputs; }

Result<Session> Model::session(const SessionOptions& options) const try {
  if (!runnable()) return no_program_error(*impl_);
  auto session = std::make_shared<Session::Impl>();
  session->model = impl_;
  session->options.optimize = options.optimize;
  session->options.isa = impl_->context->isa();
  session->options.bf16 = options.precision == Precision::kBF16;
  session->run.threads = impl_->context->cap(options.threads);
  session->run.pool = session->run.threads > 1 ? &impl_->context->pool() : nullptr;
  if (impl_->contents.graph) {
    auto compiled = impl_->compile_graph(session->options);
    if (!compiled) return std::move(compiled).error().at(impl_->path.filename().string());
    session->graph = *std::move(compiled);
    session->inputs = graph_signature(*impl_->contents.graph).inputs;
  } else {
    session->inputs = program_ports(*impl_->contents.program, std::nullopt);
  }
  return Session(std::move(session));
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kOutOfMemory, "not enough memory to prepare the model", impl_->path.string(), ""};
}

Result<Session::Impl::Call> Session::Impl::prepare(std::span<const NamedValue> named) const {
  Call call;
  if (graph) {
    LAN_TRY(call.tensors, order_inputs(named, inputs));
    for (size_t i = 0; i < inputs.size(); ++i) LAN_OK(check_input(call.tensors[i], inputs[i]));
    call.compiled = graph;
    return call;
  }
  LAN_TRY(ProgramCall bound, bind_program(*model->contents.program, inputs, named));
  for (size_t i = 0; i < bound.values.size(); ++i) {
    if (bound.signature[i].is_tensor) call.tensors.push_back(std::move(bound.values[i]));
  }
  LAN_TRY(call.compiled, model->compile_program(bound.signature, options));
  call.signature = std::move(bound.signature);
  return call;
}

Result<std::vector<NamedValue>> Session::Impl::interpret(const Call& call, State::Impl* state) const {
  LAN_TRY(script::Interpretation made,
          call.compiled->pieces->interpret(*model->contents.program, call.signature, call.tensors, run,
                                           state ? &state->attributes : nullptr));
  if (state) state->attributes = std::move(made.attributes);
  std::vector<NamedValue> named;
  size_t next = 0;
  flatten_outputs(made.outputs, made.tensors, next, named);
  return named;
}

namespace {

/// Of a program that is interpreted there is no plan to speak of.
Status require_graph(const CompiledGraph& compiled) {
  if (compiled.executable) return ok();
  return Error{ErrorCode::kUnsupported,
               "what the program does depends on the data of tensors, so it is interpreted and has no one plan", "",
               "`run` works; its time is measured from outside."};
}

}  // namespace

Result<std::vector<NamedValue>> Session::run(std::span<const NamedValue> inputs) const try {
  LAN_TRY(Impl::Call call, impl_->prepare(inputs));
  if (!call.compiled->executable) return impl_->interpret(call);
  LAN_TRY(std::vector<Value> results, call.compiled->executable->run(call.tensors, impl_->run));
  std::vector<NamedValue> named;
  if (impl_->graph) {
    const Graph& graph = *impl_->model->contents.graph;
    for (size_t i = 0; i < results.size(); ++i) {
      named.push_back({graph.values[graph.outputs[i]].name, std::move(results[i])});
    }
    return named;
  }
  size_t next = 0;
  flatten_outputs(call.compiled->outputs, results, next, named);
  return named;
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kOutOfMemory, "not enough memory to run the model", "", ""};
}

Result<std::vector<NamedValue>> Session::run(std::span<const NamedValue> inputs, State& state) const try {
  // An ONNX graph keeps nothing from call to call; a program may.
  if (impl_->graph) return run(inputs);
  LAN_TRY(const Impl::Call call, impl_->prepare(inputs));
  return impl_->interpret(call, state.impl());
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kOutOfMemory, "not enough memory to run the model", "", ""};
}

Result<std::vector<NamedTensor>> Session::run(std::span<const NamedTensor> inputs) const {
  std::vector<NamedValue> values;
  values.reserve(inputs.size());
  for (const NamedTensor& input : inputs) values.push_back({input.name, input.tensor});
  LAN_TRY(std::vector<NamedValue> results, run(std::span<const NamedValue>(values)));
  std::vector<NamedTensor> tensors;
  for (NamedValue& result : results) {
    if (!result.value.tensor()) {
      return Error{ErrorCode::kUnsupported, "is no tensor", "output '" + result.name + "'",
                   "Run the session with NamedValue inputs; its outputs can be sequences and maps."};
    }
    tensors.push_back({std::move(result.name), *result.value.tensor()});
  }
  return tensors;
}

Result<std::vector<NamedTensor>> Session::run(std::initializer_list<NamedTensor> inputs) const {
  return run(std::span<const NamedTensor>(inputs.begin(), inputs.size()));
}

Status Session::warm(std::span<const NamedValue> inputs) const try {
  LAN_TRY(Impl::Call call, impl_->prepare(inputs));
  if (!call.compiled->executable) {
    auto once = impl_->interpret(call);
    return once ? ok() : Status(std::move(once).error());
  }
  return call.compiled->executable->warm(call.tensors, impl_->run);
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kOutOfMemory, "not enough memory to plan the model", "", ""};
}

Result<std::vector<ProfileRow>> Session::profile(std::span<const NamedValue> inputs) const try {
  LAN_TRY(Impl::Call call, impl_->prepare(inputs));
  LAN_OK(require_graph(*call.compiled));
  LAN_TRY(auto steps, call.compiled->executable->profile(call.tensors, impl_->run));
  std::vector<ProfileRow> rows;
  for (StepTime& step : steps) {
    rows.push_back({std::move(step.node), std::move(step.op), std::move(step.kernel),
                    std::move(step.shape), step.milliseconds});
  }
  return rows;
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kOutOfMemory, "not enough memory to profile the model", "", ""};
}

}  // namespace lanthorn
