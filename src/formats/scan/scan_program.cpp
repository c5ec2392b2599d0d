// Programs that are no Python: TorchScript, exported programs, ONNX. What of them reaches beyond
// the numbers that they compute.

#include <algorithm>
#include <filesystem>
#include <set>

#include "codec/byte_reader.h"
#include "codec/inner_path.h"
#include "formats/onnx/import.h"
#include "formats/scan/scanner.h"

namespace lanthorn {
namespace {

// Operators of PyTorch itself and of the libraries that belong to it.
constexpr std::string_view kOperatorSpaces[] = {"_C",
                                                "_c10d_functional",
                                                "_caffe2",
                                                "aten",
                                                "c10d_functional",
                                                "cuda",
                                                "cudnn",
                                                "fb",
                                                "inductor",
                                                "inductors_prims",
                                                "internal",
                                                "lite",
                                                "metal",
                                                "metal_prepacked",
                                                "mkl",
                                                "mkldnn",
                                                "mkldnn_prepacked",
                                                "mtia",
                                                "nvprims",
                                                "onednn",
                                                "onnx",
                                                "prepacked",
                                                "prim",
                                                "prims",
                                                "profiler",
                                                "quantized",
                                                "quantized_decomposed",
                                                "rngprims",
                                                "sparse",
                                                "static_runtime",
                                                "symm_mem",
                                                "tensorexpr",
                                                "torchao",
                                                "torchaudio",
                                                "torchcodec",
                                                "torchtext",
                                                "torchvision",
                                                "triton_kernel",
                                                "vulkan",
                                                "vulkan_prepacked",
                                                "vulkan_quantized",
                                                "xnnpack",
                                                "higher_order",
                                                "torch_attn"};

// Classes that PyTorch binds: torch.classes.SPACE.
constexpr std::string_view kClassSpaces[] = {
    "quantized",   "rnn",        "xnnpack",   "mkldnn",         "metal",     "vulkan",
    "sparse",      "cuda",       "profiling", "static_runtime", "dist_c10d", "dist_rpc",
    "torchvision", "torchaudio", "torchtext", "nccl",           "onednn",    "c10d"};

// Domains of operators that ONNX and ONNX Runtime define themselves.
constexpr std::string_view kOnnxDomains[] = {"",
                                             "ai.onnx",
                                             "ai.onnx.ml",
                                             "ai.onnx.training",
                                             "ai.onnx.preview",
                                             "ai.onnx.preview.training",
                                             "com.microsoft",
                                             "com.microsoft.nchwc",
                                             "com.microsoft.experimental",
                                             "com.microsoft.dml",
                                             "com.ms.internal.nhwc",
                                             "org.pytorch.aten"};

bool contains(const auto& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view word_at(std::string_view text, size_t start) {
  size_t end = start;
  while (end < text.size() && is_word(text[end])) ++end;
  return text.substr(start, end - start);
}

/// A drive's letter makes a path absolute elsewhere.
bool names_drive(std::string_view location) { return location.size() > 1 && location[1] == ':'; }

/// What an ONNX model names outside of itself, wherever in it.
class OnnxWalk {
 public:
  std::set<std::string_view> locations;
  std::set<std::pair<std::string_view, std::string_view>> operators;  // domain and name

  void tensor(const onnx::TensorProto& tensor) {
    for (const auto& [key, value] : tensor.external_data) {
      if (key == "location") locations.insert(value);
    }
  }
  void nodes(const std::vector<onnx::NodeProto>& nodes) {
    for (const onnx::NodeProto& node : nodes) {
      operators.emplace(node.domain, node.op);
      for (const onnx::AttributeProto& attribute : node.attributes) {
        for (const onnx::TensorProto& value : attribute.tensors) tensor(value);
        for (const auto& inner : attribute.graphs) graph(*inner);
        if (attribute.sparse) sparse(*attribute.sparse);
      }
    }
  }
  void sparse(const onnx::SparseTensorProto& both) {
    for (const auto* part : {&both.values, &both.indices}) {
      if (*part) tensor(**part);
    }
  }
  void graph(const onnx::GraphProto& graph) {
    for (const onnx::TensorProto& value : graph.initializers) tensor(value);
    for (const onnx::SparseTensorProto& value : graph.sparse_initializers) sparse(value);
    nodes(graph.nodes);
  }
};

}  // namespace

bool Scanner::add_program_class(const ScanPiece& piece, const PickleGlobal& global) {
  if (global.computed || global.changed) return false;
  const std::string whole = global.module + "." + global.name;
  if (!whole.starts_with("__torch__.")) return false;
  constexpr std::string_view kBound = "__torch__.torch.classes.";
  ScanFinding finding{whole, GlobalVerdict::kSafe, "", piece.member, global.offset};
  if (whole.starts_with(kBound) && !contains(kClassSpaces, word_at(whole, kBound.size()))) {
    finding.verdict = GlobalVerdict::kUnknown;
    finding.reason = "is a class of a library that the program asks for";
  }
  add(std::move(finding));
  return true;
}

void Scanner::add_operator(const ScanPiece& piece, std::string_view space, std::string_view name,
                           uint64_t offset) {
  const bool file =
      (space == "aten" || space == "torch") && (name == "from_file" || name == "save");
  if (!file && (space == "torch" || contains(kOperatorSpaces, space))) return;
  ScanFinding finding{
      std::string(space) + "::" + std::string(name),
      file ? GlobalVerdict::kDangerous : GlobalVerdict::kUnknown,
      file ? "reaches files" : "is an operator of a library that the program asks for",
      piece.member, offset};
  if (!listed_.emplace(piece.member + '\n' + finding.name, report_.findings.size()).second) return;
  add(std::move(finding));
}

/// ops.SPACE.NAME in code of TorchScript, torch.ops.SPACE.NAME in the JSON of exported programs,
/// and the two functions of torch that reach files.
void Scanner::scan_operators(const ScanPiece& piece, bool is_code) {
  const std::string_view text = as_text(piece.bytes), start = is_code ? "ops." : "torch.ops.";
  for (size_t at = text.find(start); at != text.npos; at = text.find(start, at + 1)) {
    if (at > 0 && (is_word(text[at - 1]) || text[at - 1] == '.')) continue;
    const std::string_view space = word_at(text, at + start.size());
    const size_t dot = at + start.size() + space.size();
    if (space.empty() || dot >= text.size() || text[dot] != '.') continue;
    add_operator(piece, space, word_at(text, dot + 1), at);
  }
  if (!is_code) return;
  for (const std::string_view call : {"torch.from_file(", "torch.save("}) {
    const size_t at = text.find(call);
    if (at != text.npos) add_operator(piece, "torch", call.substr(6, call.size() - 7), at);
  }
}

void Scanner::scan_onnx(const ScanPiece& piece) {
  ReadLimits limits;
  limits.max_memory_bytes = memory_left_ / 2;
  const auto model = onnx::decode_model(piece.bytes, limits);
  if (!model) return fail(piece, model.error());
  OnnxWalk walk;
  std::set<std::string_view> own;
  if (model->graph) walk.graph(*model->graph);
  for (const onnx::FunctionProto& function : model->functions) {
    own.insert(function.domain);
    walk.nodes(function.nodes);
  }
  const auto add_if_outside = [&](std::string_view location) {
    ScanFinding finding{std::string(location), GlobalVerdict::kSafe, "", piece.member, 0};
    if (!stays_in_folder(location) || names_drive(location)) {
      finding.verdict = GlobalVerdict::kDangerous;
      finding.reason = "is external data outside of the model's folder";
    } else if (piece.file && !piece.file->path().empty()) {
      // A link beside the model leads where it wants.
      std::error_code failed;
      const auto folder = std::filesystem::weakly_canonical(
          std::filesystem::absolute(piece.file->path()).parent_path(), failed);
      const auto path = std::filesystem::weakly_canonical(folder / location, failed);
      if (!failed && path != folder && !lies_below(path, folder)) {
        finding.verdict = GlobalVerdict::kDangerous;
        finding.reason = "is external data behind a link out of the model's folder";
      }
    }
    if (finding.verdict != GlobalVerdict::kSafe) add(std::move(finding));
  };
  for (const std::string_view location : walk.locations) add_if_outside(location);
  for (const auto& [domain, op] : walk.operators) {
    if (contains(kOnnxDomains, domain) || own.contains(domain)) continue;
    const bool python = op == "PyOp" || op == "PythonOp" || op == "PyCustomOp";
    add({std::string(domain) + "::" + std::string(op), GlobalVerdict::kUnknown,
         python ? "calls Python code of the program that loads it"
                : "is an operator of a library that the model asks for",
         piece.member, 0});
  }
}

}  // namespace lanthorn
