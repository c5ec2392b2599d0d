// Einsum: https://onnx.ai/onnx/operators/onnx__Einsum.html
#include <algorithm>
#include <map>

#include "ops/elementwise.h"
#include "ops/loops.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

// A letter, or a dimension of the ellipsis counted from its end (so that shorter ones align right).
using Label = int;
constexpr Label kEllipsis = 256;

struct Equation {
  std::vector<std::vector<Label>> inputs;
  std::vector<Label> output;
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// One term with its ellipsis spread over what the letters leave of `rank` dimensions.
Result<std::vector<Label>> parse_term(std::string_view text, size_t rank) {
  const auto letters = static_cast<size_t>(std::count_if(text.begin(), text.end(), is_letter));
  std::vector<Label> labels;
  bool spread = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (is_letter(text[i])) {
      labels.push_back(text[i]);
    } else if (text.substr(i, 3) == "..." && !spread && rank >= letters) {
      for (size_t k = rank - letters; k-- > 0;) labels.push_back(kEllipsis + static_cast<Label>(k));
      spread = true;
      i += 2;
    } else {
      return refused("the term \"" + std::string(text) + "\" of an equation cannot be read");
    }
  }
  if (labels.size() != rank) {
    return refused("the term \"" + std::string(text) + "\" does not fit " + std::to_string(rank) +
                   " dimensions");
  }
  return labels;
}

// Without an arrow the output has the ellipsis, then all letters that are there once, sorted.
std::vector<Label> implied_output(const std::vector<std::vector<Label>>& inputs) {
  std::map<Label, int> counts;
  for (const auto& labels : inputs) {
    for (const Label label : labels) ++counts[label];
  }
  std::vector<Label> output;
  for (auto at = counts.rbegin(); at != counts.rend() && at->first >= kEllipsis; ++at)
    output.push_back(at->first);
  for (const auto& [label, count] : counts) {
    if (label < kEllipsis && count == 1) output.push_back(label);
  }
  return output;
}

Result<Equation> parse(std::string_view text, const std::vector<size_t>& ranks) {
  std::string plain;
  for (const char c : text) {
    if (c != ' ') plain += c;
  }
  const size_t arrow = plain.find("->");
  std::string_view left = std::string_view(plain).substr(0, arrow);
  Equation equation;
  for (size_t i = 0; i < ranks.size(); ++i) {
    const size_t comma = left.find(',');
    if ((comma == std::string_view::npos) != (i + 1 == ranks.size())) {
      return refused("the equation \"" + plain + "\" does not fit " + std::to_string(ranks.size()) +
                     " inputs");
    }
    LAN_TRY(equation.inputs.emplace_back(), parse_term(left.substr(0, comma), ranks[i]));
    left = comma == std::string_view::npos ? std::string_view{} : left.substr(comma + 1);
  }
  if (arrow == std::string::npos) {
    equation.output = implied_output(equation.inputs);
    return equation;
  }
  const std::string_view right = std::string_view(plain).substr(arrow + 2);
  size_t spread = 0;
  for (const auto& labels : equation.inputs) {
    spread = std::max(spread,
                      static_cast<size_t>(std::count_if(labels.begin(), labels.end(),
                                                        [](Label l) { return l >= kEllipsis; })));
  }
  const auto letters = static_cast<size_t>(std::count_if(right.begin(), right.end(), is_letter));
  const bool has_spread = right.find('.') != std::string_view::npos;
  LAN_TRY(equation.output, parse_term(right, letters + (has_spread ? spread : 0)));
  std::vector<Label> sorted = equation.output;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    return refused("the output of \"" + plain + "\" names a dimension twice");
  }
  return equation;
}

Status infer(InferContext& context) {
  LAN_OK(require_same_dtype(context, 0, context.input_count()));
  std::vector<size_t> ranks;
  for (size_t i = 0; i < context.input_count(); ++i) ranks.push_back(context.dims(i).size());
  LAN_TRY(const Equation equation, parse(context.attributes().text("equation", ""), ranks));
  std::map<Label, Dim> sizes;
  for (size_t i = 0; i < equation.inputs.size(); ++i) {
    for (size_t d = 0; d < equation.inputs[i].size(); ++d) {
      const auto [at, is_new] = sizes.emplace(equation.inputs[i][d], context.dims(i)[d]);
      if (is_new) continue;
      const Dim pair[] = {at->second, context.dims(i)[d]};
      LAN_TRY(const Dims both, broadcast_dims(std::span(pair, 1), std::span(pair + 1, 1)));
      at->second = both[0];
    }
  }
  Dims dims;
  for (const Label label : equation.output) {
    const auto at = sizes.find(label);
    if (at == sizes.end())
      return refused("the output of the equation has a dimension that no input has");
    dims.push_back(at->second);
  }
  context.set_output(0, context.dtype(0), std::move(dims));
  return ok();
}

// All dimensions of the equation, those of the output first, and the strides of each input along
// them.
struct Space {
  Shape kept, summed;
  std::vector<Shape> kept_strides, summed_strides;  // of each input
};

Space space_of(const RunContext& context, const Equation& equation) {
  std::map<Label, int64_t> sizes;
  for (size_t i = 0; i < equation.inputs.size(); ++i) {
    for (size_t d = 0; d < equation.inputs[i].size(); ++d) {
      int64_t& size = sizes.emplace(equation.inputs[i][d], 1).first->second;
      if (context.input(i).shape[d] != 1) size = context.input(i).shape[d];
    }
  }
  Space space;
  std::vector<Label> labels = equation.output;
  for (const Label label : labels) space.kept.push_back(sizes[label]);
  for (const auto& [label, size] : sizes) {
    if (std::find(equation.output.begin(), equation.output.end(), label) != equation.output.end())
      continue;
    labels.push_back(label);
    space.summed.push_back(size);
  }
  for (size_t i = 0; i < equation.inputs.size(); ++i) {
    const Shape strides = contiguous_strides(context.input(i).shape);
    Shape along(labels.size(), 0);
    for (size_t d = 0; d < strides.size(); ++d) {
      const auto at =
          std::find(labels.begin(), labels.end(), equation.inputs[i][d]) - labels.begin();
      // A letter that is there twice walks the diagonal.
      if (context.input(i).shape[d] != 1) along[static_cast<size_t>(at)] += strides[d];
    }
    space.kept_strides.emplace_back(along.begin(),
                                    along.begin() + static_cast<int64_t>(space.kept.size()));
    space.summed_strides.emplace_back(along.begin() + static_cast<int64_t>(space.kept.size()),
                                      along.end());
  }
  return space;
}

int64_t offset_of(std::span<const int64_t> index, std::span<const int64_t> strides) {
  int64_t offset = 0;
  for (size_t i = 0; i < index.size(); ++i) offset += index[i] * strides[i];
  return offset;
}

template <class W>
Status contract(const RunContext& context, const Space& space) {
  std::vector<std::vector<W>> values;
  for (size_t i = 0; i < context.input_count(); ++i)
    values.push_back(wide_copy<W>(context.input(i)));
  bool empty = false;
  for (const int64_t size : space.summed) empty |= size == 0;
  std::vector<int64_t> kept(space.kept.size(), 0), firsts(values.size());
  for (int64_t out = 0; out < context.output(0).count(); ++out) {
    for (size_t i = 0; i < values.size(); ++i) firsts[i] = offset_of(kept, space.kept_strides[i]);
    std::vector<int64_t> summed(space.summed.size(), 0);
    W sum{};
    for (bool more = !empty; more; more = next_index(space.summed, summed)) {
      W product{1};
      for (size_t i = 0; i < values.size(); ++i) {
        const int64_t at = firsts[i] + offset_of(summed, space.summed_strides[i]);
        product = wrapping_mul(product, values[i][static_cast<size_t>(at)]);
      }
      sum = wrapping_add(sum, product);
    }
    store_wide(&sum, context.output(0), out, 1);
    next_index(space.kept, kept);
  }
  return ok();
}

Status reference(const RunContext& context) {
  std::vector<size_t> ranks;
  for (size_t i = 0; i < context.input_count(); ++i) ranks.push_back(context.input(i).rank());
  LAN_TRY(const Equation equation, parse(context.attributes().text("equation", ""), ranks));
  const Space space = space_of(context, equation);
  return is_floating(context.input(0).dtype) ? contract<double>(context, space)
                                             : contract<int64_t>(context, space);
}

}  // namespace

extern constinit const OpDef op_einsum = {.name = "Einsum",
                                          .since = 28,
                                          .inputs = {{"Inputs", kNumbers, false, true}},
                                          .outputs = {{"Output"}},
                                          .accuracy = Accuracy::kSummed,
                                          .infer = infer,
                                          .reference = reference};

}  // namespace lanthorn
