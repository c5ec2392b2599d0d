// Graph -> ModelProto. https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

#include "formats/onnx/write/encode.h"

#include <algorithm>
#include <bit>
#include <unordered_set>

#include "formats/onnx/model.h"
#include "formats/onnx/raw_data.h"
#include "formats/onnx/write/encode_type.h"
#include "graph/onnx_dtype.h"

namespace lanthorn::onnx {
namespace {

// Smaller payloads stand in the text of the message.
constexpr uint64_t kHoleBytes = 4096;
// Where external tensors begin: big ones at a page, so that they can be mapped by themselves.
constexpr uint64_t kAlign = 64, kPage = 4096, kBig = uint64_t{1} << 20;

uint64_t raw(int64_t number) { return static_cast<uint64_t>(number); }

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void add_pairs(ProtoWriter& out, uint32_t number, const TextPairs& pairs) {
  for (const auto& [key, value] : pairs) {
    ProtoWriter pair;
    pair.bytes(1, key);
    pair.bytes(2, value);
    out.message(number, pair);
  }
}

class Encoder {
 public:
  Encoder(const Annotations& annotations, const ExternalData& external)
      : annotations_(annotations), external_(external) {}

  Result<EncodedModel> model(const Graph& graph, const std::map<std::string, int64_t>& opsets) {
    ProtoWriter& out = made_.message;
    out.varint(1, raw(ir_version_of(opsets)));
    out.bytes(2, annotations_.producer_name);
    if (!annotations_.producer_version.empty()) out.bytes(3, annotations_.producer_version);
    if (!annotations_.domain.empty()) out.bytes(4, annotations_.domain);
    if (annotations_.model_version != 0) out.varint(5, raw(annotations_.model_version));
    if (!annotations_.doc.empty()) out.bytes(6, annotations_.doc);
    auto body = encode_graph(graph, true);
    if (!body) return std::move(body).error();
    out.message(7, *body);
    for (const auto& [domain, version] : opsets) {
      ProtoWriter opset;
      opset.bytes(1, domain);
      opset.varint(2, raw(version));
      out.message(8, opset);
    }
    add_pairs(out, 14, annotations_.metadata);
    return std::move(made_);
  }

 private:
  Result<ProtoWriter> encode_graph(const Graph& graph, bool main) {
    ProtoWriter out;
    for (const Node& node : graph.nodes) {
      auto encoded = encode_node(graph, node, main);
      if (!encoded) {
        return std::move(encoded).error().at("node '" + node.name + "' (" + node.op + ")");
      }
      out.message(1, *encoded);
    }
    out.bytes(2, graph.name.empty() ? "graph" : graph.name);
    std::unordered_set<ValueId> told(graph.inputs.begin(), graph.inputs.end());
    told.insert(graph.outputs.begin(), graph.outputs.end());
    const std::vector<uint32_t> uses = use_counts(graph);
    for (ValueId id = 0; id < graph.values.size(); ++id) {
      const GraphValue& value = graph.values[id];
      if (!value.constant || uses[id] == 0) continue;
      const std::string doc = main ? note_of(annotations_.values, value.name).doc : "";
      auto tensor = encode_tensor(value.name, *value.constant, doc);
      if (!tensor) return std::move(tensor).error().at("tensor '" + value.name + "'");
      out.message(5, *tensor);
    }
    if (main && !annotations_.graph.doc.empty()) out.bytes(10, annotations_.graph.doc);
    for (const ValueId id : graph.inputs) add_info(out, 11, graph.values[id], main);
    for (const ValueId id : graph.outputs) add_info(out, 12, graph.values[id], main);
    for (const Node& node : graph.nodes) {
      for (const ValueId id : node.outputs) {
        if (id == kNoValue || told.contains(id) || !has_type(graph.values[id].type)) continue;
        add_info(out, 13, graph.values[id], main);
      }
    }
    if (main) add_pairs(out, 16, annotations_.graph.metadata);
    return out;
  }

  static Annotations::Note note_of(const std::unordered_map<std::string, Annotations::Note>& notes,
                                   const std::string& name) {
    const auto found = notes.find(name);
    return found == notes.end() ? Annotations::Note{} : found->second;
  }

  void add_info(ProtoWriter& out, uint32_t number, const GraphValue& value, bool main) const {
    ProtoWriter info;
    info.bytes(1, value.name);
    if (has_type(value.type)) info.message(2, encode_type(value.type));
    if (main) {
      const Annotations::Note note = note_of(annotations_.values, value.name);
      if (!note.doc.empty()) info.bytes(3, note.doc);
      add_pairs(info, 4, note.metadata);
    }
    out.message(number, info);
  }

  Result<ProtoWriter> encode_node(const Graph& graph, const Node& node, bool main) {
    ProtoWriter out;
    const auto name_of = [&](ValueId id) -> std::string_view {
      return id == kNoValue ? std::string_view{} : graph.values[id].name;
    };
    for (const ValueId id : node.inputs) out.bytes(1, name_of(id));
    for (const ValueId id : node.outputs) out.bytes(2, name_of(id));
    out.bytes(3, node.name);
    out.bytes(4, node.op);
    for (const auto& [name, value] : node.attributes.entries()) {
      auto attribute = encode_attribute(graph, node, name, value);
      if (!attribute) return std::move(attribute).error().at("attribute '" + name + "'");
      out.message(5, *attribute);
    }
    if (main && !node.outputs.empty()) {
      const Annotations::Note note = note_of(annotations_.nodes, std::string(name_of(node.outputs[0])));
      if (!note.doc.empty()) out.bytes(6, note.doc);
      if (!node.domain.empty()) out.bytes(7, node.domain);
      add_pairs(out, 9, note.metadata);
    } else if (!node.domain.empty()) {
      out.bytes(7, node.domain);
    }
    return out;
  }

  Result<ProtoWriter> encode_attribute(const Graph& graph, const Node& node, const std::string& name,
                                       const Attribute& value) {
    ProtoWriter out;
    out.bytes(1, name);
    const auto type = [&](AttributeType kind) { out.varint(20, static_cast<uint64_t>(kind)); };
    if (const auto* real = std::get_if<float>(&value)) {
      out.real32(2, *real);
      type(AttributeType::kFloat);
    } else if (const auto* integer = std::get_if<int64_t>(&value)) {
      out.varint(3, raw(*integer));
      type(AttributeType::kInt);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      // The one attribute that is a type is kept as text; what the node makes tells it.
      if (node.domain.empty() && node.op == "Optional" && name == "type") {
        const ValueType& made = graph.values[node.outputs[0]].type;
        if (!has_type(made) || made.kind != ValueType::Kind::kOptional) {
          return Error{ErrorCode::kUnsupported, "the type is not known", "", ""};
        }
        out.message(14, encode_type(*made.element));
        type(AttributeType::kTypeProto);
        return out;
      }
      out.bytes(4, *text);
      type(AttributeType::kString);
    } else if (const auto* tensor = std::get_if<Tensor>(&value)) {
      LAN_TRY(const ProtoWriter encoded, encode_tensor("", *tensor, ""));
      out.message(5, encoded);
      type(AttributeType::kTensor);
    } else if (const auto* subgraph = std::get_if<std::shared_ptr<Graph>>(&value)) {
      LAN_TRY(const ProtoWriter encoded, encode_graph(**subgraph, false));
      out.message(6, encoded);
      type(AttributeType::kGraph);
    } else if (const auto* reals = std::get_if<std::vector<float>>(&value)) {
      for (const float number : *reals) out.real32(7, number);
      type(AttributeType::kFloats);
    } else if (const auto* integers = std::get_if<std::vector<int64_t>>(&value)) {
      for (const int64_t number : *integers) out.varint(8, raw(number));
      type(AttributeType::kInts);
    } else if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) {
      for (const std::string& one : *texts) out.bytes(9, one);
      type(AttributeType::kStrings);
    } else if (const auto* tensors = std::get_if<std::vector<Tensor>>(&value)) {
      for (const Tensor& one : *tensors) {
        LAN_TRY(const ProtoWriter encoded, encode_tensor("", one, ""));
        out.message(10, encoded);
      }
      type(AttributeType::kTensors);
    } else if (const auto* graphs = std::get_if<std::vector<std::shared_ptr<Graph>>>(&value)) {
      for (const auto& one : *graphs) {
        LAN_TRY(const ProtoWriter encoded, encode_graph(*one, false));
        out.message(11, encoded);
      }
      type(AttributeType::kGraphs);
    }
    return out;
  }

  Result<ProtoWriter> encode_tensor(const std::string& name, const Tensor& tensor,
                                    const std::string& doc) {
    const int64_t number = onnx_number(tensor.dtype());
    if (number == 0) {
      return Error{ErrorCode::kUnsupported,
                   "ONNX has no data type for " + std::string(dtype_name(tensor.dtype())), "", ""};
    }
    ProtoWriter out;
    for (const int64_t size : tensor.shape()) out.varint(1, raw(size));
    out.varint(2, raw(number));
    if (tensor.dtype() == DType::kString) {
      LAN_TRY(const Tensor straight, tensor.contiguous());
      for (const std::string& text : straight.as<std::string>()) out.bytes(6, text);
    }
    if (!name.empty()) out.bytes(8, name);
    if (tensor.dtype() != DType::kString) LAN_OK(add_numbers(out, tensor));
    if (!doc.empty()) out.bytes(12, doc);
    return out;
  }

  Status add_numbers(ProtoWriter& out, const Tensor& tensor) {
    const uint64_t bytes = raw_bytes(tensor.dtype(), static_cast<uint64_t>(tensor.count()));
    if (bytes >= external_.threshold) {
      const uint64_t align = bytes >= kBig ? kPage : kAlign;
      const uint64_t offset = (made_.outside_bytes + align - 1) / align * align;
      made_.outside.push_back({tensor, offset});
      made_.outside_bytes = offset + bytes;
      add_pairs(out, 13,
                {{"location", external_.location},
                 {"offset", std::to_string(offset)},
                 {"length", std::to_string(bytes)}});
      out.varint(14, 1);
    } else if (bytes >= kHoleBytes) {
      out.hole(9, bytes, made_.inside.size());
      made_.inside.push_back(tensor);
    } else {
      LAN_TRY(const Tensor computed, tensor.computed());
      LAN_TRY(const Tensor straight, computed.contiguous());
      if (elements_per_byte(tensor.dtype()) > 1) {
        out.bytes(9, as_text(pack(tensor.dtype(), straight.bytes())));
      } else {
        out.bytes(9, as_text(straight.bytes()));
      }
    }
    return ok();
  }

  const Annotations& annotations_;
  const ExternalData& external_;
  EncodedModel made_;
};

}  // namespace

Result<EncodedModel> encode_model(const Graph& graph, const std::map<std::string, int64_t>& opsets,
                                  const Annotations& annotations, const ExternalData& external) {
  return Encoder(annotations, external).model(graph, opsets);
}

int64_t ir_version_of(const std::map<std::string, int64_t>& opsets) {
  // Pairs of an opset of ai.onnx and the IR version of the release that brought it. Before IR
  // version 4 every initializer had to be an input, too, so no file is written for less.
  constexpr std::pair<int64_t, int64_t> kVersions[] = {{28, 14}, {25, 13}, {24, 12}, {23, 11},
                                                       {21, 10}, {19, 9},  {15, 8},  {12, 7},
                                                       {11, 6},  {10, 5},  {0, 4}};
  const auto version_of = [&](int64_t opset) {
    return std::find_if(std::begin(kVersions), std::end(kVersions),
                        [&](const auto& pair) { return opset >= pair.first; })
        ->second;
  };
  int64_t version = 4;
  for (const auto& [domain, opset] : opsets) {
    if (domain.empty()) version = std::max(version, version_of(opset));
    // ai.onnx.ml 2 to 5 came with ai.onnx 11, 16, 20 and 21.
    constexpr int64_t kBeside[] = {1, 1, 11, 16, 20, 21};
    if (domain == "ai.onnx.ml" && opset > 0) {
      version = std::max(version, version_of(kBeside[std::min<int64_t>(opset, 5)]));
    }
  }
  return version;
}

}  // namespace lanthorn::onnx
