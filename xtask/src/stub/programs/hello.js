(function*($env) {
  console.log('hello');
})
