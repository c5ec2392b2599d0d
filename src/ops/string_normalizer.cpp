// StringNormalizer: https://onnx.ai/onnx/operators/onnx__StringNormalizer.html

#include <algorithm>
#include <set>

#include "base/utf8.h"
#include "ops/numbers_shared.h"
#include "ops/shape_rules.h"
#include "ops/text_lists_shared.h"

namespace lanthorn {
namespace {

struct CaseRange {
  uint32_t first, last;  // of the capitals
  uint32_t distance;     // to the small letters; 0: capital and small letter alternate
};

// The alphabets that have two cases: Latin, Greek, Cyrillic, Armenian.
constexpr CaseRange kCases[] = {
    {'A', 'Z', 32},      {0xc0, 0xd6, 32},    {0xd8, 0xde, 32},   {0x100, 0x12e, 0},
    {0x132, 0x136, 0},   {0x139, 0x147, 0},   {0x14a, 0x176, 0},  {0x179, 0x17d, 0},
    {0x391, 0x3a1, 32},  {0x3a3, 0x3ab, 32},  {0x400, 0x40f, 80}, {0x410, 0x42f, 32},
    {0x460, 0x480, 0},   {0x48a, 0x4be, 0},   {0x4d0, 0x52e, 0},  {0x531, 0x556, 48},
    {0x1e00, 0x1e94, 0}, {0x1ea0, 0x1efe, 0},
};

uint32_t with_case(uint32_t point, bool upper) {
  for (const CaseRange& range : kCases) {
    const uint32_t step = range.distance == 0 ? 1 : range.distance;
    const uint32_t capital = upper ? point - step : point;
    const bool inside = capital >= range.first && capital <= range.last && capital <= point;
    const bool stands = range.distance != 0 || (capital - range.first) % 2 == 0;
    if (inside && stands) return upper ? capital : point + step;
  }
  return point;
}

std::string with_case(const std::string& text, bool upper) {
  std::string changed;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    // Only letters of two bytes, and of three in the Latin additions, have a case here.
    const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (length == 4 || i + length > text.size()) {
      changed.push_back(text[i++]);
      continue;
    }
    uint32_t point = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t k = 1; k < length; ++k) {
      point = point << 6 | (static_cast<uint8_t>(text[i + k]) & 0x3fu);
    }
    const uint32_t other = with_case(point, upper);
    if (other == point)
      changed.append(text, i, length);
    else
      append_utf8(changed, other);
    i += length;
  }
  return changed;
}

Status infer(InferContext& c) {
  const std::string_view action = c.attributes().text("case_change_action", "NONE");
  if (action != "NONE" && action != "LOWER" && action != "UPPER") {
    return attribute_error("case_change_action", "it is NONE, LOWER or UPPER");
  }
  LAN_OK(require_rank(c, 0, 1, 2));
  if (c.rank(0) == 2 && !may_equal(c.dims(0)[0], Dim(1))) return refused("X is [C] or [1, C]");
  Dims dims = c.dims(0);
  if (!text_list(c.attributes(), "stopwords").empty() || !dims.back().is_known() ||
      dims.back().is(0)) {
    dims.back() = Dim::unknown();
  }
  c.set_output(0, DType::kString, std::move(dims));
  return ok();
}

Status reference(const RunContext& c) {
  const std::string_view action = c.attributes().text("case_change_action", "NONE");
  const bool exact = c.attributes().integer("is_case_sensitive", 0) != 0;
  const auto key = [&](const std::string& text) { return exact ? text : with_case(text, false); };
  std::set<std::string> stopwords;
  for (const std::string& word : text_list(c.attributes(), "stopwords"))
    stopwords.insert(key(word));
  std::vector<std::string> kept;
  for (const std::string& text : c.input(0).as<std::string>()) {
    if (!stopwords.empty() && stopwords.contains(key(text))) continue;
    kept.push_back(action == "NONE" ? text : with_case(text, action == "UPPER"));
  }
  if (kept.empty()) kept.emplace_back();
  Shape shape(c.input(0).rank(), 1);
  shape.back() = static_cast<int64_t>(kept.size());
  c.set_output_value(0, Tensor::of_strings(std::move(shape), std::move(kept)));
  return ok();
}

}  // namespace

extern constinit const OpDef op_string_normalizer{
    .name = "StringNormalizer",
    .since = 10,
    .inputs = {{"X", kStringType}},
    .outputs = {{"Y", kStringType}},
    .infer = infer,
    .reference = reference,
    .data_dependent = true,
};

}  // namespace lanthorn
