// OPS: string_concat string_split
// https://onnx.ai/onnx/operators/onnx__StringConcat.html,
// https://onnx.ai/onnx/operators/onnx__StringSplit.html

#include <algorithm>
#include <array>

#include "ops/loops.h"
#include "ops/numbers_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

Status run_concat(const RunContext& c) {
  const auto a = c.input(0).as<std::string>(), b = c.input(1).as<std::string>();
  const auto to = c.output(0).as<std::string>();
  const std::array shapes{c.input(0).shape, c.input(1).shape};
  for (BroadcastWalk walk(c.output(0).shape, shapes); !walk.done(); walk.next()) {
    for (int64_t i = 0; i < walk.length(); ++i) {
      to[static_cast<size_t>(walk.at() + i)] =
          a[static_cast<size_t>(walk.at(0) + i * walk.step(0))] +
          b[static_cast<size_t>(walk.at(1) + i * walk.step(1))];
    }
  }
  return ok();
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::vector<std::string> split_at_spaces(std::string_view text, int64_t most) {
  std::vector<std::string> parts;
  while (true) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    if (text.empty()) return parts;
    if (static_cast<int64_t>(parts.size()) == most) {
      while (is_space(text.back())) text.remove_suffix(1);
      parts.emplace_back(text);
      return parts;
    }
    const auto end = std::find_if(text.begin(), text.end(), is_space);
    parts.emplace_back(text.begin(), end);
    text.remove_prefix(static_cast<size_t>(end - text.begin()));
  }
}

std::vector<std::string> split_at(std::string_view text, std::string_view delimiter, int64_t most) {
  std::vector<std::string> parts;
  for (size_t end = 0; static_cast<int64_t>(parts.size()) < most;) {
    end = text.find(delimiter);
    if (end == std::string_view::npos) break;
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end + delimiter.size());
  }
  parts.emplace_back(text);
  return parts;
}

Status infer_split(InferContext& c) {
  Dims dims = c.dims(0);
  c.set_output(1, DType::kI64, dims);
  dims.push_back(Dim::unknown());
  c.set_output(0, DType::kString, std::move(dims));
  return ok();
}

Status run_split(const RunContext& c) {
  const std::string_view delimiter = c.attributes().text("delimiter", "");
  const int64_t given = c.attributes().integer("maxsplit", -1);
  const int64_t most = given < 0 ? INT64_MAX : given;
  std::vector<std::vector<std::string>> rows;
  std::vector<int64_t> counts;
  size_t longest = 0;
  for (const std::string& text : c.input(0).as<std::string>()) {
    rows.push_back(delimiter.empty() ? split_at_spaces(text, most)
                                     : split_at(text, delimiter, most));
    counts.push_back(static_cast<int64_t>(rows.back().size()));
    longest = std::max(longest, rows.back().size());
  }
  Shape shape(c.input(0).shape.begin(), c.input(0).shape.end());
  if (c.output_count() > 1) {
    c.set_output_value(1, Tensor::of<int64_t>(DType::kI64, shape, counts));
  }
  shape.push_back(static_cast<int64_t>(longest));
  LAN_TRY(Tensor parts, Tensor::allocate(DType::kString, std::move(shape)));
  const auto to = parts.mutable_as<std::string>();
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t k = 0; k < rows[i].size(); ++k) to[i * longest + k] = std::move(rows[i][k]);
  }
  c.set_output_value(0, std::move(parts));
  return ok();
}

}  // namespace

extern constinit const OpDef op_string_concat{
    .name = "StringConcat",
    .since = 20,
    .inputs = {{"X", kStringType}, {"Y", kStringType}},
    .outputs = {{"Z", kStringType}},
    .infer = infer_broadcast,
    .reference = run_concat,
};

extern constinit const OpDef op_string_split{
    .name = "StringSplit",
    .since = 20,
    .inputs = {{"X", kStringType}},
    .outputs = {{"Y", kStringType}, {"Z", kI64Type}},
    .infer = infer_split,
    .reference = run_split,
    .data_dependent = true,
};

}  // namespace lanthorn
