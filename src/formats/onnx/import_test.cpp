// Small models, written field by field as onnx.proto numbers them, that no exporter would write:
// what a hostile or broken file holds. Files of real exporters are judged by the corpus tests.

#include "formats/onnx/import.h"

#include <gtest/gtest.h>

namespace lanthorn {
namespace {

ProtoWriter tensor_info(std::string_view name) {
  ProtoWriter tensor, type, info;
  tensor.varint(1, 1);  // float
  type.message(1, tensor);
  info.bytes(1, name);
  info.message(2, type);
  return info;
}

ProtoWriter node(std::string_view op, std::vector<std::string_view> inputs,
                 std::vector<std::string_view> outputs) {
  ProtoWriter writer;
  for (const auto name : inputs) writer.bytes(1, name);
  for (const auto name : outputs) writer.bytes(2, name);
  writer.bytes(4, op);
  return writer;
}

std::string model_of(const ProtoWriter& graph, int64_t opset = 20) {
  ProtoWriter id, model;
  id.varint(2, static_cast<uint64_t>(opset));
  model.varint(1, 9);
  model.message(8, id);
  model.message(7, graph);
  return model.text();
}

Result<onnx::ImportedModel> import_bytes(const std::string& bytes, const ReadLimits& limits = {}) {
  const auto file = MappedFile::of(std::as_bytes(std::span(bytes)));
  LAN_TRY(const onnx::ModelProto model, onnx::decode_model(file->bytes(), limits));
  return onnx::import_model(model, file, limits);
}

ProtoWriter chain(std::vector<ProtoWriter> nodes) {
  ProtoWriter graph;
  for (const ProtoWriter& one : nodes) graph.message(1, one);
  graph.message(11, tensor_info("x"));
  graph.message(12, tensor_info("y"));
  return graph;
}

TEST(onnx_import, nodes_out_of_order_are_sorted) {
  const auto imported =
      import_bytes(model_of(chain({node("Relu", {"a"}, {"y"}), node("Abs", {"x"}, {"a"})})));
  ASSERT_TRUE(imported.ok()) << imported.error().text();
  ASSERT_EQ(imported->graph->nodes.size(), 2u);
  EXPECT_EQ(imported->graph->nodes[0].op, "Abs");
}

TEST(onnx_import, a_cycle_is_refused) {
  const auto imported =
      import_bytes(model_of(chain({node("Add", {"x", "b"}, {"y"}), node("Abs", {"y"}, {"b"})})));
  ASSERT_FALSE(imported.ok());
  EXPECT_EQ(imported.error().code, ErrorCode::kCorrupt);
}

TEST(onnx_import, an_input_that_nothing_makes_names_node_and_value) {
  const auto imported = import_bytes(model_of(chain({node("Relu", {"z"}, {"y"})})));
  ASSERT_FALSE(imported.ok());
  EXPECT_EQ(imported.error().message, "nothing makes the input 'z'");
  EXPECT_EQ(imported.error().where, "graph › node Relu that makes 'y'");
}

TEST(onnx_import, two_values_of_one_name_are_refused) {
  const auto imported =
      import_bytes(model_of(chain({node("Relu", {"x"}, {"y"}), node("Abs", {"x"}, {"y"})})));
  ASSERT_FALSE(imported.ok());
  EXPECT_EQ(imported.error().message, "two values are called 'y'");
}

TEST(onnx_import, an_opset_newer_than_known_is_unsupported) {
  const auto imported = import_bytes(model_of(chain({node("Relu", {"x"}, {"y"})}), kOpset + 1));
  ASSERT_FALSE(imported.ok());
  EXPECT_EQ(imported.error().code, ErrorCode::kUnsupported);
}

TEST(onnx_import, attributes_that_became_inputs_are_raised) {
  ProtoWriter axes;
  axes.bytes(1, "axes");
  axes.varint(8, 0);
  axes.varint(20, 7);
  ProtoWriter squeeze = node("Squeeze", {"x"}, {"y"});
  squeeze.message(5, axes);
  const auto imported = import_bytes(model_of(chain({squeeze}), 11));
  ASSERT_TRUE(imported.ok()) << imported.error().text();
  const Node& raised = imported->graph->nodes.at(0);
  ASSERT_EQ(raised.inputs.size(), 2u);
  EXPECT_FALSE(raised.attributes.has("axes"));
  const Tensor* constant = imported->graph->constant(raised.inputs[1]);
  ASSERT_NE(constant, nullptr);
  EXPECT_EQ(constant->to_ints(), (std::vector<int64_t>{0}));
}

TEST(onnx_import, a_tensor_that_claims_more_than_it_holds_is_refused_before_memory_is_asked_for) {
  ProtoWriter tensor;
  const int64_t dims[] = {int64_t{1} << 31, 1 << 20};
  tensor.packed_varints(1, dims);
  tensor.varint(2, 1);
  tensor.bytes(8, "w");
  tensor.bytes(9, "1234");
  ProtoWriter graph = chain({node("Add", {"x", "w"}, {"y"})});
  graph.message(5, tensor);
  const auto imported = import_bytes(model_of(graph));
  ASSERT_FALSE(imported.ok());
  EXPECT_EQ(imported.error().code, ErrorCode::kCorrupt);
}

TEST(onnx_import, external_data_cannot_leave_the_folder) {
  for (const std::string_view location :
       {"/etc/passwd", "../secret", "a/../../secret", "..\\secret", ""}) {
    ProtoWriter entry, tensor;
    entry.bytes(1, "location");
    entry.bytes(2, location);
    tensor.varint(1, 1);
    tensor.varint(2, 2);
    tensor.bytes(8, "w");
    tensor.message(13, entry);
    tensor.varint(14, 1);
    ProtoWriter graph = chain({node("Add", {"x", "w"}, {"y"})});
    graph.message(5, tensor);
    const auto imported = import_bytes(model_of(graph));
    ASSERT_FALSE(imported.ok());
    EXPECT_EQ(imported.error().code, ErrorCode::kCorrupt) << location;
  }
}

TEST(onnx_import, functions_that_multiply_reach_the_memory_limit) {
  ProtoWriter opset, model, id;
  opset.varint(2, 20);
  model.varint(1, 9);
  model.message(8, opset);
  ProtoWriter local;
  local.bytes(1, "f");
  local.varint(2, 1);
  model.message(8, local);
  constexpr int kLevels = 40;
  for (int i = 0; i < kLevels; ++i) {
    ProtoWriter function;
    function.bytes(1, "f" + std::to_string(i));
    function.bytes(4, "x");
    function.bytes(5, "y");
    const std::string callee = "f" + std::to_string(i + 1);
    const bool last = i + 1 == kLevels;
    ProtoWriter first = node(last ? "Abs" : callee, {"x"}, {"m"});
    ProtoWriter second = node(last ? "Abs" : callee, {"m"}, {"y"});
    if (!last) first.bytes(7, "f");
    if (!last) second.bytes(7, "f");
    function.message(7, first);
    function.message(7, second);
    function.message(9, opset);
    function.bytes(10, "f");
    model.message(25, function);
  }
  ProtoWriter call = node("f0", {"x"}, {"y"});
  call.bytes(7, "f");
  model.message(7, chain({call}));
  ReadLimits limits;
  limits.max_memory_bytes = uint64_t{4} << 20;
  const auto imported = import_bytes(model.text(), limits);
  ASSERT_FALSE(imported.ok());
  EXPECT_EQ(imported.error().code, ErrorCode::kLimit);
}

TEST(onnx_import, subgraphs_nested_too_deep_reach_a_limit) {
  ProtoWriter graph;
  for (int i = 0; i < 500; ++i) {
    ProtoWriter attribute, outer, one = node("If", {"x"}, {"y"});
    attribute.bytes(1, "then_branch");
    attribute.message(6, graph);
    attribute.varint(20, 5);
    one.message(5, attribute);
    outer.message(1, one);
    graph = outer;
  }
  const auto imported = import_bytes(model_of(graph));
  ASSERT_FALSE(imported.ok());
  EXPECT_EQ(imported.error().code, ErrorCode::kLimit);
}

}  // namespace
}  // namespace lanthorn
