// The bytes of a connection: the first byte says in what pieces they come, the rest is requests one
// after the other, as the server takes them off a socket and its router answers them.

#include "serve/http_request.h"

#include <unistd.h>

#include <algorithm>
#include <boost/beast/core/flat_buffer.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>

#include "serve/router.h"

namespace lanthorn {
namespace {

/// A protobuf field of bytes, shorter than 128.
std::string field(int number, const std::string& bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}
std::string field(int number, int value) {
  return {static_cast<char>(number << 3), static_cast<char>(value)};
}

struct Input {
  int type;                // ONNX's number of the dtype
  std::vector<int> sizes;  // after the batch
};

/// An ONNX model whose outputs are its inputs.
std::string identity_model(const std::vector<Input>& inputs) {
  std::string nodes, infos;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::string in = "x" + std::to_string(i), out = "y" + std::to_string(i);
    nodes += field(1, field(1, in) + field(2, out) + field(4, std::string("Identity")));
    std::string shape = field(1, field(2, std::string("batch")));
    for (const int size : inputs[i].sizes) shape += field(1, field(1, size));
    const std::string type = field(2, field(1, field(1, inputs[i].type) + field(2, shape)));
    infos += field(11, field(1, in) + type) + field(12, field(1, out) + type);
  }
  const std::string graph = nodes + field(2, std::string("g")) + infos;
  std::string length;  // a varint of two bytes, as a graph may be longer than a field
  length += static_cast<char>((graph.size() & 127) | 128);
  length += static_cast<char>(graph.size() >> 7);
  return field(1, 8) + "\x3a" + length + graph + field(8, field(2, 17));
}

ServedModel served(const std::string& name, const std::vector<Input>& inputs) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("lanthorn-fuzz-" + std::to_string(::getpid()) + "-" + name + ".onnx");
  std::ofstream(path, std::ios::binary) << identity_model(inputs);
  auto model = open_served_model(name, path, {}, {.threads = 1});
  std::filesystem::remove(path);
  if (!model) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), model.error().text().c_str());
    std::abort();
  }
  return *std::move(model);
}

const Router& router() {
  static const Router made = [] {
    std::vector<ServedModel> models;
    models.push_back(served("scores", {{1, {3}}}));                   // a classifier, float
    models.push_back(served("mixed", {{7, {2}}, {9, {}}, {8, {}}}));  // int64, bool, string
    models.push_back(served("picture", {{1, {3, 4, 4}}}));
    models.back().pictures.emplace();
    models.back().pictures->resize = {4, 4};
    models.push_back(served("half", {{10, {2, 2}}}));
    return Router(std::move(models));
  }();
  return made;
}

/// Reads one request from `bytes`, at most `piece` at a time. False where the connection ends.
bool read_request(std::span<const uint8_t>& bytes, size_t piece, const HttpLimits& limits) {
  HttpParser parser;
  limit_parser(parser, limits);
  boost::beast::flat_buffer buffer;
  bool head_checked = false;
  while (!parser.is_done()) {
    const size_t taken = std::min(piece, bytes.size());
    if (taken == 0) return false;
    buffer.commit(
        boost::asio::buffer_copy(buffer.prepare(taken), boost::asio::buffer(bytes.data(), taken)));
    bytes = bytes.subspan(taken);
    boost::beast::error_code error;
    while (buffer.size() > 0 && !parser.is_done()) {
      buffer.consume(parser.put(buffer.data(), error));
      if (error == boost::beast::http::error::need_more) break;
      if (error) {
        (void)refuse_unreadable(error, limits);
        return false;
      }
    }
    if (parser.is_header_done() && !head_checked) {
      if (refuse_head(parser)) return false;
      head_checked = true;
    }
  }
  // What came after this request belongs to the next.
  bytes = std::span(bytes.data() - buffer.size(), bytes.size() + buffer.size());
  HttpRequest request;
  if (!take_request(parser, request)) return true;
  (void)router().is_quick(request);
  const HttpAnswer answer = router().answer(request);
  if (answer.status < 200 || answer.status > 599) std::abort();
  if (answer.status == 500) std::abort();
  return true;
}

}  // namespace
}  // namespace lanthorn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const lanthorn::HttpLimits limits{.max_body_bytes = 1 << 16, .max_header_bytes = 4096};
  std::span<const uint8_t> bytes(data + 1, size - 1);
  const size_t piece = data[0] == 0 ? size : data[0];
  while (!bytes.empty() && lanthorn::read_request(bytes, piece, limits)) {
  }
  return 0;
}
