#include "formats/onnx/write/write.h"

#include <gtest/gtest.h>

#include "formats/format.h"
#include "tests/temporary_folder.h"

namespace lanthorn {
namespace {

/// x -> MatMul with a weight -> Gelu
Graph small_graph() {
  Graph graph;
  const ValueId x = graph.add_value("x", ValueType::tensor(DType::kF32, {Dim::symbol("batch"), 64}));
  graph.inputs = {x};
  const ValueId weight = graph.add_constant(*Tensor::allocate(DType::kF32, {64, 64}), "w");
  graph.add_node("MatMul", {x, weight}, {});
  graph.add_node("Gelu", {graph.nodes[0].outputs[0]}, {});
  graph.outputs = graph.nodes[1].outputs;
  graph.values[graph.outputs[0]].name = "y";
  return graph;
}

std::vector<std::string> operators(const Graph& graph) {
  std::vector<std::string> ops;
  for (const Node& node : graph.nodes) ops.push_back(node.op);
  return ops;
}

Result<FileContents> written(const TemporaryFolder& folder, const Graph& graph,
                             const onnx::OnnxWriteOptions& options) {
  LAN_TRY(const WriteReport report, onnx::write_model(folder.path / "m.onnx", graph, {}, options));
  return read_file(folder.path / "m.onnx");
}

TEST(onnx_write, what_is_written_is_read_again) {
  const TemporaryFolder folder;
  const auto contents = written(folder, small_graph(), {});
  ASSERT_TRUE(contents.ok()) << contents.error().text();
  EXPECT_EQ(contents->format_version, "IR 14, opset 28");
  EXPECT_EQ(operators(*contents->graph), (std::vector<std::string>{"MatMul", "Gelu"}));
  EXPECT_EQ(type_text(contents->graph->values[contents->graph->inputs[0]].type), "float32[batch, 64]");
  EXPECT_EQ(contents->tensors.entries()[0].name, "w");
}

TEST(onnx_write, an_older_opset_has_what_there_was) {
  const TemporaryFolder folder;
  const auto contents = written(folder, small_graph(), {.opset = 13});
  ASSERT_TRUE(contents.ok()) << contents.error().text();
  EXPECT_EQ(contents->format_version, "IR 7, opset 13");
  EXPECT_EQ(operators(*contents->graph),
            (std::vector<std::string>{"MatMul", "Div", "Erf", "Add", "Mul", "Mul"}));
}

TEST(onnx_write, big_tensors_lie_beside_at_their_threshold) {
  const TemporaryFolder folder;
  const auto contents = written(folder, small_graph(), {.external_threshold = 64 * 64 * 4});
  ASSERT_TRUE(contents.ok()) << contents.error().text();
  EXPECT_EQ(std::filesystem::file_size(folder.path / "m.onnx.data"), 64u * 64 * 4);
  EXPECT_LT(std::filesystem::file_size(folder.path / "m.onnx"), 1000u);
  EXPECT_EQ(contents->tensors.entries()[0].tensor.count(), 64 * 64);
  const TemporaryFolder inside;
  ASSERT_TRUE(written(inside, small_graph(), {.external_threshold = 64 * 64 * 4 + 1}).ok());
  EXPECT_FALSE(std::filesystem::exists(inside.path / "m.onnx.data"));
}

TEST(onnx_write, all_that_an_opset_lacks_is_listed_and_nothing_is_written) {
  const TemporaryFolder folder;
  Graph graph = small_graph();
  graph.add_node("Det", {graph.outputs[0]}, {});
  graph.nodes.back().name = "determinant";
  graph.outputs = graph.nodes.back().outputs;
  const auto refused = onnx::write_model(folder.path / "m.onnx", graph, {}, {.opset = 8});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(refused.error().message.find("Erf: it came with opset 9"), std::string::npos);
  EXPECT_NE(refused.error().message.find("Det: it came with opset 11 (node 'determinant')"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder.path / "m.onnx"));
}

TEST(onnx_write, operators_of_the_optimizer_are_none_of_onnx) {
  const TemporaryFolder folder;
  Graph graph = small_graph();
  graph.nodes[1].op = "NoSuchOperator";
  const auto refused = onnx::write_model(folder.path / "m.onnx", graph, {}, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("it is no operator of ONNX"), std::string::npos);
}

TEST(onnx_write, numbers_of_less_than_a_byte_are_packed) {
  const TemporaryFolder folder;
  const int8_t numbers[] = {1, -2, 7};
  Graph graph;
  const ValueId constant = graph.add_constant(Tensor::of<int8_t>(DType::kI4, {3}, numbers), "k");
  graph.add_node("Cast", {constant}, {{"to", int64_t{1}}});
  graph.outputs = graph.nodes[0].outputs;
  const auto contents = written(folder, graph, {});
  ASSERT_TRUE(contents.ok()) << contents.error().text();
  const Tensor& read = contents->tensors.entries()[0].tensor;
  EXPECT_EQ(read.dtype(), DType::kI4);
  EXPECT_EQ(*read.to_ints(), (std::vector<int64_t>{1, -2, 7}));
}

}  // namespace
}  // namespace lanthorn
