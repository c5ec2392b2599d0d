#include "formats/onnx/annotations.h"

#include "formats/onnx/importer.h"
#include "formats/onnx/model.h"

namespace lanthorn::onnx {
namespace {

class Collector {
 public:
  explicit Collector(uint64_t max_bytes) : left_(max_bytes) {}

  Result<Annotations> collect(const ModelProto& model) {
    Annotations out;
    LAN_OK(take(out.producer_name, model.producer_name));
    LAN_OK(take(out.producer_version, model.producer_version));
    LAN_OK(take(out.domain, model.domain));
    LAN_OK(take(out.doc, model.doc));
    out.model_version = model.model_version;
    LAN_OK(take(out.metadata, model.metadata));
    LAN_OK(take(out.graph.doc, model.graph->doc));
    LAN_OK(take(out.graph.metadata, model.graph->metadata));
    for (const NodeProto& node : model.graph->nodes) {
      if (!node.outputs.empty()) LAN_OK(add(out.nodes, node.outputs[0], node.doc, node.metadata));
    }
    for (const auto* infos : {&model.graph->inputs, &model.graph->outputs, &model.graph->value_infos}) {
      for (const ValueInfoProto& info : *infos) {
        LAN_OK(add(out.values, info.name, info.doc, info.metadata));
      }
    }
    for (const TensorProto& tensor : model.graph->initializers) {
      LAN_OK(add(out.values, tensor.name, tensor.doc, {}));
    }
    for (const OpsetId& opset : model.opsets) {
      out.opsets[std::string(short_domain(opset.domain))] = opset.version;
    }
    return out;
  }

 private:
  Status take(std::string& to, std::string_view from) {
    if (from.size() > left_) {
      return Error{ErrorCode::kLimit, "the model's descriptions need more memory than is allowed", "",
                   "raise the memory limit if the file can be trusted"};
    }
    left_ -= from.size();
    to = std::string(from);
    return ok();
  }

  Status take(TextPairs& to, const std::vector<StringPair>& from) {
    for (const auto& [key, value] : from) {
      auto& pair = to.emplace_back();
      LAN_OK(take(pair.first, key));
      LAN_OK(take(pair.second, value));
    }
    return ok();
  }

  Status add(std::unordered_map<std::string, Annotations::Note>& notes, std::string_view name,
             std::string_view doc, const std::vector<StringPair>& metadata) {
    if (doc.empty() && metadata.empty()) return ok();
    std::string key;
    LAN_OK(take(key, name));
    Annotations::Note note;
    LAN_OK(take(note.doc, doc));
    LAN_OK(take(note.metadata, metadata));
    notes.emplace(std::move(key), std::move(note));
    return ok();
  }

  uint64_t left_;
};

}  // namespace

Result<Annotations> annotations_of(const ModelProto& model, uint64_t max_bytes) {
  return Collector(max_bytes).collect(model);
}

}  // namespace lanthorn::onnx
