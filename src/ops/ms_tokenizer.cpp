// com.microsoft Tokenizer: splits texts into words, padded to equal numbers.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md

#include <algorithm>
#include <iterator>

#include "ops/numbers_shared.h"
#include "ops/regex_shared.h"
#include "ops/shape_rules.h"
#include "ops/text_lists_shared.h"

namespace lanthorn {
namespace {

using Words = std::vector<std::string>;

// How texts are split: into characters, by what words look like, or by what stands between them.
struct Splitter {
  bool characters = false;
  std::optional<Regex> word;
  std::vector<Regex> separators;
  int64_t least = 1;  // characters of a word

  static Result<Splitter> of(const Attributes& a) {
    Splitter made;
    made.least = a.integer("mincharnum", 1);
    const Words& separators = text_list(a, "separators");
    if (a.has("tokenexp") == !separators.empty()) {
      return attribute_error("tokenexp", "one of tokenexp and separators must be there");
    }
    if (a.has("tokenexp")) {
      LAN_TRY(made.word, Regex::parse(a.text("tokenexp", "")));
      return made;
    }
    made.characters = separators.size() == 1 && separators[0].empty();
    for (const std::string& separator : separators) {
      if (made.characters) break;
      LAN_TRY(Regex regex, Regex::parse(separator));
      made.separators.push_back(std::move(regex));
    }
    return made;
  }
};

bool begins_character(char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }

int64_t length_of(std::string_view text) {
  return std::count_if(text.begin(), text.end(), begins_character);
}

Words split_characters(std::string_view text) {
  Words words;
  for (const char c : text) {
    if (words.empty() || begins_character(c)) words.emplace_back();
    words.back().push_back(c);
  }
  return words;
}

Words find_words(const Splitter& splitter, std::string_view text) {
  Words words;
  for (size_t at = 0; at < text.size();) {
    const auto found = splitter.word->find(text, at);
    if (!found) break;
    const std::string_view word = text.substr(found->first, found->second - found->first);
    if (!word.empty() && length_of(word) >= splitter.least) words.emplace_back(word);
    at = std::max(found->second, found->first + (word.empty() ? 1 : 0));
  }
  return words;
}

Words separate(const Splitter& splitter, std::string_view text) {
  Words words{std::string(text)};
  for (const Regex& separator : splitter.separators) {
    Words next;
    for (const std::string& word : words) {
      size_t begin = 0;
      for (size_t at = 0; at <= word.size();) {
        const auto found = separator.find(word, at);
        if (!found) break;
        if (found->second == found->first) {
          at = found->second + 1;
          continue;
        }
        next.push_back(word.substr(begin, found->first - begin));
        begin = at = found->second;
      }
      next.push_back(word.substr(begin));
    }
    std::erase_if(next, [&](const std::string& word) {
      return word.empty() || length_of(word) < splitter.least;
    });
    words = std::move(next);
  }
  return words;
}

Status infer(InferContext& c) {
  LAN_OK(Splitter::of(c.attributes()));
  LAN_OK(require_rank(c, 0, 1, 2));
  Dims dims = c.dims(0);
  dims.push_back(Dim::unknown());
  c.set_output(0, DType::kString, std::move(dims));
  return ok();
}

Status reference(const RunContext& c) {
  LAN_TRY(const Splitter splitter, Splitter::of(c.attributes()));
  const bool mark = c.attributes().integer("mark", 0) != 0;
  std::vector<Words> rows;
  size_t longest = 0;
  for (const std::string& text : c.input(0).as<std::string>()) {
    Words words = splitter.characters ? split_characters(text)
                  : splitter.word     ? find_words(splitter, text)
                                      : separate(splitter, text);
    if (mark) {
      words.insert(words.begin(), "\x02");
      words.emplace_back("\x03");
    }
    longest = std::max(longest, words.size());
    rows.push_back(std::move(words));
  }
  Shape shape(c.input(0).shape.begin(), c.input(0).shape.end());
  shape.push_back(static_cast<int64_t>(longest));
  const std::string pad(c.attributes().text("pad_value", ""));
  Words all;
  for (Words& words : rows) {
    words.resize(longest, pad);
    std::move(words.begin(), words.end(), std::back_inserter(all));
  }
  c.set_output_value(0, Tensor::of_strings(std::move(shape), std::move(all)));
  return ok();
}

}  // namespace

extern constinit const OpDef op_ms_tokenizer{
    .name = "Tokenizer",
    .domain = "com.microsoft",
    .inputs = {{"X", kStringType}},
    .outputs = {{"Y", kStringType}},
    .infer = infer,
    .reference = reference,
    .data_dependent = true,
};

}  // namespace lanthorn
