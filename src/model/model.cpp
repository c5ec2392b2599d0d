#include "lanthorn/model.h"

#include <new>

#include "lanthorn/lanthorn.h"
#include "model/interpreted_run.h"
#include "model/model_impl.h"
#include "script/class_table.h"

namespace lanthorn {

std::string_view version() { return LANTHORN_VERSION; }

Model::Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
const std::string& Model::format() const { return impl_->contents.format; }
const std::string& Model::format_version() const { return impl_->contents.format_version; }
const std::string& Model::producer() const { return impl_->contents.producer; }
const std::vector<Port>& Model::inputs() const { return impl_->signature().inputs; }
const std::vector<Port>& Model::outputs() const { return impl_->signature().outputs; }
bool Model::runnable() const { return impl_->contents.graph || impl_->contents.program; }
const StateDict& Model::tensors() const { return impl_->contents.tensors; }
const ObjectTree* Model::objects() const { return impl_->contents.objects.get(); }
const std::vector<std::pair<std::string, std::string>>& Model::metadata() const {
  return impl_->contents.metadata;
}
const std::vector<std::string>& Model::notes() const { return impl_->contents.notes; }
bool Model::is_classifier() const { return impl_->signature().classifier; }
std::string Model::program_text() const {
  const std::shared_ptr<const Graph> graph = example_graph(*impl_).graph;
  return graph ? graph->text() : code();
}
std::string Model::code() const {
  std::string text;
  if (!impl_->contents.program) return text;
  const script::CodeSource& source = impl_->contents.program->classes->source();
  for (const std::string& file : source.files) {
    if (!file.ends_with(".py")) continue;
    const auto read = source.read(file);
    text += "# " + file + "\n" + (read ? *read : "# " + read.error().text() + "\n");
  }
  return text;
}

Result<Model> load(const std::filesystem::path& path, const LoadOptions& options) try {
  ReadLimits limits;
  limits.max_memory_bytes = options.max_memory_bytes;
  auto impl = std::make_shared<Model::Impl>();
  LAN_TRY(impl->contents, read_file(path, limits));
  if (const Status known = require_inputs(impl->contents, options.input_shapes); !known) return Error(known.error()).at(path.string());
  impl->path = path;
  impl->options = options;
  impl->context = Context::shared();
  return Model(std::move(impl));
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kOutOfMemory, "not enough memory to read the file", path.string(), ""};
}

Result<StateDict> load_state_dict(const std::filesystem::path& path, const LoadOptions& options) {
  LAN_TRY(const Model model, load(path, options));
  if (model.tensors().size() == 0) {
    return Error{ErrorCode::kUnsupported, "holds no named tensors", path.string(),
                 "It is a file of format '" + model.format() + "'; see `lanthorn inspect`."};
  }
  return model.tensors();
}

const Signature& Model::Impl::signature() const {
  std::call_once(signature_once_, [this] {
    if (contents.graph) signature_ = graph_signature(*contents.graph);
    if (contents.program) signature_ = program_signature(*this);
  });
  return signature_;
}

namespace {

bool same_options(const ExecutableOptions& a, const ExecutableOptions& b) {
  return a.optimize == b.optimize && a.isa == b.isa && a.bf16 == b.bf16;
}

bool same_known_value(const Value& a, const Value& b) {
  if (a.is_none() || b.is_none()) return a.is_none() && b.is_none();
  if (a.integer() && b.integer()) return *a.integer() == *b.integer();
  if (a.real() && b.real()) return *a.real() == *b.real();
  if (a.flag() && b.flag()) return *a.flag() == *b.flag();
  if (a.text() && b.text()) return *a.text() == *b.text();
  return false;
}

/// Whether a graph that was made for `made` holds for `wanted` too.
bool serves(const CompiledGraph& graph, const std::vector<script::SignatureInput>& wanted) {
  if (graph.signature.size() != wanted.size()) return false;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const auto& made = graph.signature[i];
    if (made.is_tensor != wanted[i].is_tensor) return false;
    if (!made.is_tensor && !same_known_value(made.value, wanted[i].value)) return false;
    if (made.is_tensor &&
        (made.dtype != wanted[i].dtype || made.hint.size() != wanted[i].hint.size())) {
      return false;
    }
  }
  for (const script::Guard& guard : graph.guards) {
    if (wanted[guard.input].hint[guard.axis] != guard.size) return false;
  }
  return true;
}

/// Graphs kept for one program; those of shapes long gone make room.
constexpr size_t kMaxCompiled = 64;

}  // namespace

Result<std::shared_ptr<const CompiledGraph>> Model::Impl::compile_graph(
    const ExecutableOptions& wanted) const {
  const std::lock_guard lock(mutex_);
  for (const auto& compiled : compiled_) {
    if (same_options(compiled->options, wanted)) return compiled;
  }
  auto compiled = std::make_shared<CompiledGraph>();
  compiled->options = wanted;
  LAN_TRY(compiled->executable, Executable::create(contents.graph, wanted));
  compiled_.push_back(compiled);
  return std::shared_ptr<const CompiledGraph>(compiled);
}

Result<std::shared_ptr<const CompiledGraph>> Model::Impl::compile_program(
    const std::vector<script::SignatureInput>& inputs, const ExecutableOptions& wanted) const {
  const std::lock_guard lock(mutex_);
  for (const auto& compiled : compiled_) {
    if (same_options(compiled->options, wanted) && serves(*compiled, inputs)) return compiled;
  }
  bool needs_data = false;
  auto evaluated = script::evaluate(*contents.program, contents.program->method, inputs, {}, &needs_data);
  if (!evaluated && !needs_data) return std::move(evaluated).error();
  auto compiled = std::make_shared<CompiledGraph>();
  compiled->options = wanted;
  compiled->signature = inputs;
  compiled->pieces = std::make_shared<PieceCache>(wanted);
  if (!evaluated) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      for (size_t axis = 0; inputs[i].is_tensor && axis < inputs[i].hint.size(); ++axis)
        compiled->guards.push_back({i, axis, inputs[i].hint[axis]});
    }
    if (compiled_.size() >= kMaxCompiled) compiled_.erase(compiled_.begin());
    compiled_.push_back(compiled);
    return std::shared_ptr<const CompiledGraph>(compiled);
  }
  script::Evaluation evaluation = *std::move(evaluated);
  compiled->guards = std::move(evaluation.guards);
  compiled->outputs = std::move(evaluation.outputs);
  LAN_TRY(compiled->executable, Executable::create(std::move(evaluation.graph), wanted));
  if (compiled_.size() >= kMaxCompiled) compiled_.erase(compiled_.begin());
  compiled_.push_back(compiled);
  return std::shared_ptr<const CompiledGraph>(compiled);
}

}  // namespace lanthorn
