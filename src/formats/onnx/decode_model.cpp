// AttributeProto, NodeProto, GraphProto, FunctionProto and ModelProto.

#include <algorithm>

#include "formats/onnx/decode.h"

namespace lanthorn::onnx {
namespace {

// Frames of the decoder take up to a few hundred bytes for each of three messages a subgraph.
constexpr uint32_t kMaxDepth = 256;

Result<OpsetId> decode_opset(const ProtoField& message) {
  LAN_OK(require_bytes(message));
  OpsetId opset;
  ProtoReader reader(message);
  for (ProtoField field; reader.next(field);) {
    if (field.number == 1) opset.domain = field.text();
    if (field.number == 2) opset.version = field.integer();
  }
  LAN_OK(reader.status());
  return opset;
}

Status take_text(DecodeBudget& budget, const ProtoField& field,
                 std::vector<std::string_view>& texts) {
  LAN_OK(require_bytes(field));
  return push(budget, texts, field.text());
}

Status take_opset(DecodeBudget& budget, const ProtoField& field, std::vector<OpsetId>& opsets) {
  LAN_TRY(const OpsetId opset, decode_opset(field));
  return push(budget, opsets, opset);
}

Status take_pair(DecodeBudget& budget, const ProtoField& field, std::vector<StringPair>& pairs) {
  LAN_TRY(const StringPair pair, decode_pair(field));
  return push(budget, pairs, pair);
}

Status take_node(DecodeBudget& budget, const ProtoField& field, std::vector<NodeProto>& nodes) {
  auto node = decode_node(field, budget);
  if (!node) return std::move(node).error().at("node " + std::to_string(nodes.size()));
  return push(budget, nodes, *std::move(node));
}

Status take_info(DecodeBudget& budget, const ProtoField& field,
                 std::vector<ValueInfoProto>& infos) {
  LAN_TRY(ValueInfoProto info, decode_value_info(field, budget));
  return push(budget, infos, std::move(info));
}

Result<FunctionProto> decode_function(const ProtoField& message, DecodeBudget& budget) {
  LAN_OK(require_bytes(message));
  FunctionProto function;
  ProtoReader reader(message);
  for (ProtoField field; reader.next(field);) {
    switch (field.number) {
      case 1:
        function.name = field.text();
        break;
      case 4:
        LAN_OK(take_text(budget, field, function.inputs));
        break;
      case 5:
        LAN_OK(take_text(budget, field, function.outputs));
        break;
      case 6:
        LAN_OK(take_text(budget, field, function.attributes));
        break;
      case 7:
        LAN_OK(take_node(budget, field, function.nodes));
        break;
      case 9:
        LAN_OK(take_opset(budget, field, function.opsets));
        break;
      case 10:
        function.domain = field.text();
        break;
      case 11: {
        LAN_TRY(AttributeProto attribute, decode_attribute(field, budget));
        LAN_OK(push(budget, function.default_attributes, std::move(attribute)));
        break;
      }
      case 13:
        function.overload = field.text();
        break;
      default:
        break;
    }
  }
  LAN_OK(reader.status());
  return function;
}

Status decode_attribute_field(const ProtoField& field, DecodeBudget& budget, AttributeProto& out) {
  switch (field.number) {
    case 1:
      out.name = field.text();
      break;
    case 2:
      out.real = field.real32();
      break;
    case 3:
      out.integer = field.integer();
      break;
    case 4:
      out.text = field.text();
      break;
    case 5:
    case 10: {
      LAN_TRY(TensorProto tensor, decode_tensor(field, budget));
      LAN_OK(push(budget, out.tensors, std::move(tensor)));
      break;
    }
    case 6:
    case 11: {
      LAN_TRY(GraphProto graph, decode_graph(field, budget));
      LAN_OK(budget.spend(sizeof(GraphProto) + 64));
      out.graphs.push_back(std::make_shared<const GraphProto>(std::move(graph)));
      break;
    }
    case 7:
      LAN_OK(take_numbers(budget, field, WireType::kFixed32, out.reals));
      break;
    case 8:
      LAN_OK(take_numbers(budget, field, WireType::kVarint, out.integers));
      break;
    case 9:
      LAN_OK(take_text(budget, field, out.texts));
      break;
    case 14: {
      LAN_TRY(out.type_proto, decode_type(field, budget));
      break;
    }
    case 20:
      out.type = field.integer32();
      out.typed = out.type > 0 && out.type <= static_cast<int32_t>(AttributeType::kTypeProtos);
      break;
    case 21:
      out.ref_name = field.text();
      break;
    case 22: {
      LAN_TRY(out.sparse, decode_sparse(field, budget));
      break;
    }
    default:
      break;
  }
  return ok();
}

// Files of IR version 1 have no type field: the one value that is there tells.
int32_t guessed_type(const AttributeProto& attribute) {
  using enum AttributeType;
  const auto guess = attribute.real                ? kFloat
                     : attribute.integer           ? kInt
                     : attribute.text              ? kString
                     : attribute.sparse            ? kSparseTensor
                     : attribute.type_proto        ? kTypeProto
                     : !attribute.reals.empty()    ? kFloats
                     : !attribute.integers.empty() ? kInts
                     : !attribute.texts.empty()    ? kStrings
                     : !attribute.tensors.empty()  ? kTensor
                     : !attribute.graphs.empty()   ? kGraph
                                                   : kUndefined;
  return static_cast<int32_t>(guess);
}

}  // namespace

const AttributeProto* NodeProto::find(std::string_view attribute) const {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const AttributeProto& a) { return a.name == attribute; });
  return found == attributes.end() ? nullptr : &*found;
}

Result<AttributeProto> decode_attribute(const ProtoField& message, DecodeBudget& budget) {
  LAN_OK(require_bytes(message));
  AttributeProto attribute;
  ProtoReader reader(message);
  for (ProtoField field; reader.next(field);) {
    auto done = decode_attribute_field(field, budget, attribute);
    if (!done) {
      return std::move(done).error().at("attribute '" + std::string(attribute.name) + "'");
    }
  }
  LAN_OK(reader.status());
  if (attribute.type == 0 && attribute.ref_name.empty()) attribute.type = guessed_type(attribute);
  return attribute;
}

Result<NodeProto> decode_node(const ProtoField& message, DecodeBudget& budget) {
  LAN_OK(require_bytes(message));
  NodeProto node;
  node.offset = message.offset;
  ProtoReader reader(message);
  for (ProtoField field; reader.next(field);) {
    switch (field.number) {
      case 1:
        LAN_OK(take_text(budget, field, node.inputs));
        break;
      case 2:
        LAN_OK(take_text(budget, field, node.outputs));
        break;
      case 3:
        node.name = field.text();
        break;
      case 4:
        node.op = field.text();
        break;
      case 5: {
        LAN_TRY(AttributeProto attribute, decode_attribute(field, budget));
        LAN_OK(push(budget, node.attributes, std::move(attribute)));
        break;
      }
      case 6:
        node.doc = field.text();
        break;
      case 7:
        node.domain = field.text();
        break;
      case 8:
        node.overload = field.text();
        break;
      case 9:
        LAN_OK(take_pair(budget, field, node.metadata));
        break;
      default:
        break;
    }
  }
  LAN_OK(reader.status());
  return node;
}

Result<GraphProto> decode_graph(const ProtoField& message, DecodeBudget& budget) {
  LAN_OK(require_bytes(message));
  if (budget.depth_left < 3) return Error{ErrorCode::kLimit, "graphs are nested too deep", "", ""};
  budget.depth_left -= 3;  // a subgraph lies in a graph, a node and an attribute
  GraphProto graph;
  ProtoReader reader(message);
  for (ProtoField field; reader.next(field);) {
    switch (field.number) {
      case 1:
        LAN_OK(take_node(budget, field, graph.nodes));
        break;
      case 2:
        graph.name = field.text();
        break;
      case 5: {
        LAN_TRY(TensorProto tensor, decode_tensor(field, budget));
        LAN_OK(push(budget, graph.initializers, std::move(tensor)));
        break;
      }
      case 10:
        graph.doc = field.text();
        break;
      case 11:
        LAN_OK(take_info(budget, field, graph.inputs));
        break;
      case 12:
        LAN_OK(take_info(budget, field, graph.outputs));
        break;
      case 13:
        LAN_OK(take_info(budget, field, graph.value_infos));
        break;
      case 15: {
        LAN_TRY(SparseTensorProto sparse, decode_sparse(field, budget));
        LAN_OK(push(budget, graph.sparse_initializers, std::move(sparse)));
        break;
      }
      case 16:
        LAN_OK(take_pair(budget, field, graph.metadata));
        break;
      default:
        break;
    }
  }
  budget.depth_left += 3;
  LAN_OK(reader.status());
  return graph;
}

Result<ModelProto> decode_model(std::span<const std::byte> bytes, const ReadLimits& limits) {
  DecodeBudget budget{limits.max_memory_bytes, std::min(limits.max_depth, kMaxDepth)};
  ModelProto model;
  ProtoReader reader(bytes);
  for (ProtoField field; reader.next(field);) {
    switch (field.number) {
      case 1:
        model.ir_version = field.integer();
        break;
      case 2:
        model.producer_name = field.text();
        break;
      case 3:
        model.producer_version = field.text();
        break;
      case 4:
        model.domain = field.text();
        break;
      case 5:
        model.model_version = field.integer();
        break;
      case 6:
        model.doc = field.text();
        break;
      case 7: {
        // A message field that comes twice is merged by protocol buffers; no writer does that.
        if (model.graph) return Error{ErrorCode::kCorrupt, "the model holds two graphs", "", ""};
        auto graph = decode_graph(field, budget);
        if (!graph) return std::move(graph).error().at("graph");
        model.graph = *std::move(graph);
        break;
      }
      case 8:
        LAN_OK(take_opset(budget, field, model.opsets));
        break;
      case 14:
        LAN_OK(take_pair(budget, field, model.metadata));
        break;
      case 20:
        model.has_training = true;
        break;
      case 25: {
        auto function = decode_function(field, budget);
        if (!function) {
          return std::move(function).error().at("function " +
                                                std::to_string(model.functions.size()));
        }
        LAN_OK(push(budget, model.functions, *std::move(function)));
        break;
      }
      default:
        break;
    }
  }
  LAN_OK(reader.status());
  if (!model.graph) return Error{ErrorCode::kCorrupt, "the model holds no graph", "", ""};
  return model;
}

bool looks_like_model(std::span<const std::byte> bytes) {
  constexpr uint64_t kNewestIrVersion = 64;  // far above any that there is
  bool graph = false;
  bool version = false;
  ProtoReader reader(bytes);
  for (ProtoField field; reader.next(field);) {
    const bool integer = field.number == 1 || field.number == 5;
    const bool known = field.number <= 8 || field.number == 14 || field.number == 20 ||
                       field.number == 25 || field.number == 26;
    if (!known || field.wire != (integer ? WireType::kVarint : WireType::kBytes)) return false;
    if (field.number == 1 && (field.value == 0 || field.value > kNewestIrVersion)) return false;
    graph = graph || field.number == 7;
    version = version || field.number == 1;
  }
  // A file that was cut inside its graph is still an ONNX file, to be refused as such.
  return version && (graph || !reader.status());
}

}  // namespace lanthorn::onnx
