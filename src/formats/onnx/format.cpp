// ONNX models. https://onnx.ai/onnx/repo-docs/IR.html

#include "formats/format.h"

#include "formats/onnx/annotations.h"
#include "formats/onnx/import.h"
#include "formats/onnx/model.h"

namespace lanthorn {
namespace {

std::string joined(std::string_view a, std::string_view b) {
  std::string text(a);
  if (!a.empty() && !b.empty()) text += " ";
  return text.append(b);
}

std::string version_text(const onnx::ModelProto& model) {
  std::string text = "IR " + std::to_string(model.ir_version);
  for (const onnx::OpsetId& opset : model.opsets) {
    text += ", " + (opset.domain.empty() ? std::string("opset") : std::string(opset.domain)) + " " +
            std::to_string(opset.version);
  }
  return text;
}

Result<FileContents> read(const std::shared_ptr<const MappedFile>& file, const ReadLimits& limits) {
  LAN_TRY(const onnx::ModelProto model, onnx::decode_model(file->bytes(), limits));
  LAN_TRY(onnx::ImportedModel imported, onnx::import_model(model, file, limits));
  FileContents contents;
  contents.format = "onnx";
  contents.format_version = version_text(model);
  contents.producer = joined(model.producer_name, model.producer_version);
  contents.graph = std::move(imported.graph);
  LAN_TRY(onnx::Annotations annotations, onnx::annotations_of(model, limits.max_memory_bytes));
  contents.annotations = std::make_shared<const onnx::Annotations>(std::move(annotations));
  contents.tensors = std::move(imported.weights);
  contents.notes = std::move(imported.notes);
  for (const auto& [key, value] : model.metadata) contents.metadata.emplace_back(key, value);
  if (!model.domain.empty()) contents.metadata.emplace_back("domain", model.domain);
  if (model.model_version != 0) {
    contents.metadata.emplace_back("model_version", std::to_string(model.model_version));
  }
  return contents;
}

}  // namespace

extern constinit const Format format_onnx{
    .name = "onnx",
    .versions = "opset 1 to 28",
    .matches = onnx::looks_like_model,
    .read = read,
    .has_no_mark = true,
    .written = "opset 7 to 28",
};

}  // namespace lanthorn
